"""The states of reports and of the queue to GitHub, and the moves between them: the one table."""

from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices


class ReportState(TextChoices):
    """Where triage stands. `next_state` is only what the agent wished for."""

    NEW = "new", "New"
    WATCH = "watch", "Watch"
    ACCEPTED = "accepted", "Accepted"
    NEEDS_INFO = "needs_info", "Needs info"
    DUPLICATE = "duplicate", "Duplicate"
    DECLINED = "declined", "Declined"
    QUEUED = "queued", "Queued"
    MIRRORED = "mirrored", "Mirrored"


class QueueState(TextChoices):
    """What became of a report on its way to GitHub; the words are public contract."""

    QUEUED = "queued", "Queued"  # waits for a worker
    PROMOTED = "promoted", "Promoted"  # we made its issue
    SKIPPED = "skipped", "Skipped"  # left out on purpose: a dry run, or withdrawn by staff
    DEDUPED = "deduped", "Deduped"  # another report's issue speaks for it
    BLOCKED = "blocked", "Blocked"  # could not be made safe to publish
    ALREADY_MIRRORED = "already_mirrored", "Already mirrored"  # its issue was found, not made
    FAILED = "failed", "Failed"  # tried too often; staff can try again


class QueueMode(TextChoices):
    """Whether an issue is made, or everything but that."""

    DRY_RUN = "dry_run", "Dry run"
    LIVE = "live", "Live"


STATES_WITH_ISSUE: Final = (QueueState.PROMOTED, QueueState.DEDUPED, QueueState.ALREADY_MIRRORED)
RETRYABLE_STATES: Final = (QueueState.SKIPPED, QueueState.BLOCKED, QueueState.FAILED)

_S = ReportState


@dataclass(frozen=True, slots=True)
class Transition:
    """One verb of triage: what staff press, where it leads, from where, and at what price."""

    name: str
    label: str
    key: str  # on the keyboard
    to: ReportState
    sources: frozenset[ReportState]
    needs_reason: bool = False
    needs_target: bool = False


_OPEN = frozenset({_S.NEW, _S.WATCH, _S.ACCEPTED, _S.NEEDS_INFO})

TRANSITIONS: Final = {
    move.name: move
    for move in (
        Transition("accept", "Accept", "a", _S.ACCEPTED, _OPEN - {_S.ACCEPTED} | {_S.DECLINED}),
        Transition("watch", "Watch", "w", _S.WATCH, _OPEN - {_S.WATCH} | {_S.DECLINED}, True),
        Transition("needs_info", "Needs info", "i", _S.NEEDS_INFO, _OPEN - {_S.NEEDS_INFO}),
        Transition(
            "duplicate", "Duplicate of", "d", _S.DUPLICATE, _OPEN | {_S.DECLINED}, True, True
        ),
        Transition("decline", "Decline", "n", _S.DECLINED, _OPEN, True),
        Transition("queue", "Queue for GitHub", "q", _S.QUEUED, _OPEN),
        Transition("separate", "Not a duplicate", "s", _S.NEW, frozenset({_S.DUPLICATE}), True),
    )
}
# What the queue does to its report, without anybody pressing a key.
MIRROR: Final = Transition("mirror", "Mirrored", "", _S.MIRRORED, frozenset({_S.QUEUED}))
UNQUEUE: Final = Transition("unqueue", "Out of the queue", "", _S.ACCEPTED, frozenset({_S.QUEUED}))
REQUEUE: Final = Transition("requeue", "Queue again", "", _S.QUEUED, _OPEN)
