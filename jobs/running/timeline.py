"""A job's way from hold to capture as steps with times, and where it stands still."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from imageskill.lib import clock
from jobs import states
from jobs.models import Job
from jobs.running import staff_actions

STALLED_AFTER = timedelta(minutes=2)
"""What workers and the sweeper put right by themselves; only then a standstill is a gap."""


@dataclass(frozen=True, slots=True)
class JobStep:
    """One step; `at` is empty where it has not been taken, `is_gap` where it should have been.

    `reference` is somebody else's id of it, `repair` names the deed that closes the gap.
    """

    name: str
    at: datetime | None
    note: str = ""
    reference: str = ""
    is_gap: bool = False
    repair: str = ""


def build(job: Job, *, now: datetime | None = None) -> list[JobStep]:
    """Return the steps of a job. Takes its assets' checks as prefetched by the caller."""
    now = now or clock.now()
    checks = [asset.verdict for asset in job.assets.all() if hasattr(asset, "verdict")]
    stood = [
        JobStep("hold", job.created_at, f"{job.credits_held} credits"),
        JobStep("send", job.sent_at),
        JobStep("pick up", job.started_at, _deliveries(job)),
        JobStep("submit", job.submitted_at or job.call_began_at, reference=job.provider_request_id),
        JobStep("answer", job.answered_at, "outcome unknown" if job.is_outcome_unknown else ""),
        JobStep(
            "store",
            job.stored_at,
            f"{job.storage_attempts} attempts failed" * bool(job.storage_failed_at),
        ),
        JobStep(
            "check", max((one.checked_at for one in checks), default=None), _check_summary(checks)
        ),
        _end_step(job),
    ]
    if job.is_final:
        return _mark_unchecked(stood, job, now)
    return _mark_gap(stood, job) if _is_stalled(job, now) else stood


def _deliveries(job: Job) -> str:
    return f"{job.redeliveries} redeliveries" if job.redeliveries else ""


def _check_summary(checks: Sequence[object]) -> str:
    bad = sum(1 for check in checks if not getattr(check, "is_good", True))
    return f"{bad} of {len(checks)} failed" if bad else ""


def _end_step(job: Job) -> JobStep:
    if job.status == states.COMPLETED:
        return JobStep("capture", job.completed_at, f"{job.credits_captured or 0} credits")
    if job.is_final:
        return JobStep(job.status, job.completed_at, job.error_code)
    return JobStep("capture", None)


def _is_stalled(job: Job, now: datetime) -> bool:
    """Return whether nobody has the job in hand who should have by now."""
    if job.is_outcome_unknown or job.storage_failed_at or _is_before(job.deadline_at, now):
        return True
    last = now - STALLED_AFTER
    if job.status == states.QUEUED:
        return (job.sent_at or job.created_at) < last
    return _is_before(job.leased_until, last) or _is_before(job.pause_until, last)


def _is_before(at: datetime | None, moment: datetime) -> bool:
    return at is not None and at < moment


def _mark_gap(steps: list[JobStep], job: Job) -> list[JobStep]:
    """Mark the first step that is missing; the check comes after the end, so it can't be it."""
    missing = next(step for step in steps if step.at is None and step.name != "check")
    marked = replace(missing, is_gap=True, repair=_repair(job))
    return [marked if step is missing else step for step in steps]


def _repair(job: Job) -> str:
    if job.is_outcome_unknown:
        return "end-unknown"
    return "repair-storage" if job.status == states.STORING else "retry"


def _mark_unchecked(steps: list[JobStep], job: Job, now: datetime) -> list[JobStep]:
    unchecked = staff_actions.unchecked_images(job)
    if not unchecked or not _is_before(job.completed_at, now - STALLED_AFTER):
        return steps
    number = f"{len(unchecked)} not checked"
    return [
        replace(step, at=None, note=number, is_gap=True, repair="check")
        if step.name == "check"
        else step
        for step in steps
    ]
