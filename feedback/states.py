"""The states of reports and of the queue to GitHub, and the transitions between them."""

from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices


class ReportState(TextChoices):
    """The state of triage. A report's `next_state` is only what the agent asked for."""

    NEW = "new", "New"
    WATCH = "watch", "Watch"
    ACCEPTED = "accepted", "Accepted"
    NEEDS_INFO = "needs_info", "Needs info"
    DUPLICATE = "duplicate", "Duplicate"
    DECLINED = "declined", "Declined"
    QUEUED = "queued", "Queued"
    MIRRORED = "mirrored", "Mirrored"


class QueueState(TextChoices):
    """The state of a report in the queue to GitHub; the values are part of the contract."""

    QUEUED = "queued", "Queued"  # due to be processed
    PROMOTED = "promoted", "Promoted"  # we created its issue
    SKIPPED = "skipped", "Skipped"  # a dry run, or withdrawn by staff
    DEDUPED = "deduped", "Deduped"  # covered by another report's issue
    BLOCKED = "blocked", "Blocked"  # could not be redacted safely
    ALREADY_MIRRORED = "already_mirrored", "Already mirrored"  # its issue existed already
    FAILED = "failed", "Failed"  # gave up after too many attempts; staff can retry


class QueueMode(TextChoices):
    """Whether issues are created; a dry run does everything else."""

    DRY_RUN = "dry_run", "Dry run"
    LIVE = "live", "Live"


STATES_WITH_ISSUE: Final = (QueueState.PROMOTED, QueueState.DEDUPED, QueueState.ALREADY_MIRRORED)
RETRYABLE_STATES: Final = (QueueState.SKIPPED, QueueState.BLOCKED, QueueState.FAILED)

_S = ReportState


@dataclass(frozen=True, slots=True)
class Transition:
    """One action of triage: its label and key, its source and target states, what it requires."""

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
# Transitions that the queue makes, without staff.
MIRROR: Final = Transition("mirror", "Mirrored", "", _S.MIRRORED, frozenset({_S.QUEUED}))
UNQUEUE: Final = Transition("unqueue", "Out of the queue", "", _S.ACCEPTED, frozenset({_S.QUEUED}))
REQUEUE: Final = Transition("requeue", "Queue again", "", _S.QUEUED, _OPEN)
