"""A job's timeline from hold to capture, and where it is stalled."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from imageskill.lib import clock
from jobs import states
from jobs.models import Job
from jobs.running import staff_actions

STALLED_AFTER = timedelta(minutes=2)
"""Workers and the sweeper repair shorter delays by themselves; only a longer one is a gap."""

_CHECKED, _CAPTURED = "Checked", "Captured"


@dataclass(frozen=True, slots=True)
class JobStep:
    """One step; `at` is None where it has not happened, `is_gap` where it should have.

    `reference` is the provider's ID of it, `repair` the name of the action that closes the gap.
    """

    name: str
    at: datetime | None
    note: str = ""
    reference: str = ""
    is_gap: bool = False
    repair: str = ""


def build(job: Job, *, now: datetime | None = None) -> list[JobStep]:
    """Return the steps of a job, whose assets' checks the caller has prefetched."""
    now = now or clock.now()
    checks = [asset.verdict for asset in job.assets.all() if hasattr(asset, "verdict")]
    steps = [
        JobStep("Authorized", job.created_at, _credits(job.credits_held)),
        JobStep("Queued", job.sent_at),
        JobStep("Started", job.started_at, _deliveries(job)),
        JobStep(
            "Submitted", job.submitted_at or job.call_began_at, reference=job.provider_request_id
        ),
        JobStep("Generated", job.answered_at, "Outcome unknown" if job.is_outcome_unknown else ""),
        JobStep(
            "Stored",
            job.stored_at,
            f"Failed attempts: {job.storage_attempts}" * bool(job.storage_failed_at),
        ),
        JobStep(
            _CHECKED, max((one.checked_at for one in checks), default=None), _check_summary(checks)
        ),
        _end_step(job),
    ]
    if job.is_final:
        return _mark_unchecked(steps, job, now)
    return _mark_gap(steps, job) if _is_stalled(job, now) else steps


def _credits(number: int) -> str:
    return "1 credit" if number == 1 else f"{number:,} credits"


def _deliveries(job: Job) -> str:
    return f"Redeliveries: {job.redeliveries}" if job.redeliveries else ""


def _check_summary(checks: Sequence[object]) -> str:
    bad = sum(1 for check in checks if not getattr(check, "is_good", True))
    return f"{bad} of {len(checks)} failed" if bad else ""


def _end_step(job: Job) -> JobStep:
    if job.status == states.COMPLETED:
        return JobStep(_CAPTURED, job.completed_at, _credits(job.credits_captured or 0))
    if job.is_final:
        return JobStep(job.get_status_display(), job.completed_at, job.error_code)
    return JobStep(_CAPTURED, None)


def _is_stalled(job: Job, now: datetime) -> bool:
    """Return whether no worker runs the job although one should by now."""
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
    missing = next(step for step in steps if step.at is None and step.name != _CHECKED)
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
    note = f"Not checked: {len(unchecked)}"
    return [
        replace(step, at=None, note=note, is_gap=True, repair="check")
        if step.name == _CHECKED
        else step
        for step in steps
    ]
