"""A job's way from hold to capture as steps with times, and where it stands still."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from imageskill.lib import clock
from jobs import states
from jobs.models import Job
from jobs.running import staff_actions

PATIENCE = timedelta(minutes=2)
"""What workers and the sweeper put right by themselves; only then a standstill is a gap."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `at` is empty where it has not been taken, `is_gap` where it should have been.

    `reference` is somebody else's id of it, `repair` names the deed that closes the gap.
    """

    name: str
    at: datetime | None
    note: str = ""
    reference: str = ""
    is_gap: bool = False
    repair: str = ""


def of(job: Job, *, now: datetime | None = None) -> list[Step]:
    """Lay out the steps of a job. Takes its assets' checks as prefetched by the caller."""
    now = now or clock.now()
    checks = [asset.verdict for asset in job.assets.all() if hasattr(asset, "verdict")]
    stood = [
        Step("hold", job.created_at, f"{job.credits_held} credits"),
        Step("send", job.sent_at),
        Step("pick up", job.started_at, _deliveries(job)),
        Step("submit", job.submitted_at or job.call_began_at, reference=job.provider_request_id),
        Step("answer", job.answered_at, "outcome unknown" if job.is_outcome_unknown else ""),
        Step(
            "store",
            job.stored_at,
            f"{job.storage_attempts} attempts failed" * bool(job.storage_failed_at),
        ),
        Step("check", max((one.checked_at for one in checks), default=None), _checked(checks)),
        _end(job),
    ]
    if job.is_final:
        return _with_unchecked(stood, job, now)
    return _with_gap(stood, job) if _stands_still(job, now) else stood


def _deliveries(job: Job) -> str:
    return f"{job.redeliveries} redeliveries" if job.redeliveries else ""


def _checked(checks: Sequence[object]) -> str:
    bad = sum(1 for check in checks if not getattr(check, "is_good", True))
    return f"{bad} of {len(checks)} failed" if bad else ""


def _end(job: Job) -> Step:
    if job.status == states.COMPLETED:
        return Step("capture", job.completed_at, f"{job.credits_captured or 0} credits")
    if job.is_final:
        return Step(job.status, job.completed_at, job.error_code)
    return Step("capture", None)


def _stands_still(job: Job, now: datetime) -> bool:
    """Tell whether nobody has the job in hand who should have by now."""
    if job.is_outcome_unknown or job.storage_failed_at or _is_before(job.deadline_at, now):
        return True
    last = now - PATIENCE
    if job.status == states.QUEUED:
        return (job.sent_at or job.created_at) < last
    return _is_before(job.leased_until, last) or _is_before(job.pause_until, last)


def _is_before(at: datetime | None, moment: datetime) -> bool:
    return at is not None and at < moment


def _with_gap(steps: list[Step], job: Job) -> list[Step]:
    """Mark the first step that is missing; the check comes after the end, so it can't be it."""
    missing = next(step for step in steps if step.at is None and step.name != "check")
    marked = replace(missing, is_gap=True, repair=_repair(job))
    return [marked if step is missing else step for step in steps]


def _repair(job: Job) -> str:
    if job.is_outcome_unknown:
        return "end-unknown"
    return "repair-storage" if job.status == states.STORING else "retry"


def _with_unchecked(steps: list[Step], job: Job, now: datetime) -> list[Step]:
    unchecked = staff_actions.unchecked_pictures(job)
    if not unchecked or not _is_before(job.completed_at, now - PATIENCE):
        return steps
    number = f"{len(unchecked)} not checked"
    return [
        replace(step, at=None, note=number, is_gap=True, repair="check")
        if step.name == "check"
        else step
        for step in steps
    ]
