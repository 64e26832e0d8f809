"""The states of a job and the transitions between them: the one table. Pure."""

QUEUED = "queued"  # recorded, credits held, waits for a worker
RUNNING = "running"  # a worker has it, or the provider does
STORING = "storing"  # the outputs are staged and on their way into storage
COMPLETED = "completed"  # stored and charged
FAILED = "failed"  # over without an image; the hold went back
CANCELED = "canceled"  # stopped by its owner or staff; the hold went back

TRANSITIONS: dict[str, frozenset[str]] = {
    QUEUED: frozenset({RUNNING, FAILED, CANCELED}),
    RUNNING: frozenset({STORING, FAILED, CANCELED}),
    STORING: frozenset({COMPLETED, FAILED}),  # made and billed: it is stored or lost
    COMPLETED: frozenset(),
    FAILED: frozenset(),
    CANCELED: frozenset(),
}

ALL = tuple(TRANSITIONS)
FINAL = tuple(state for state, onward in TRANSITIONS.items() if not onward)
OPEN = tuple(state for state, onward in TRANSITIONS.items() if onward)
CHOICES = [(state, state.capitalize()) for state in ALL]


def predecessors(state: str) -> tuple[str, ...]:
    """Return the states from which a job may come to this one."""
    return tuple(source for source, onward in TRANSITIONS.items() if state in onward)
