"""A job's way from hold to capture as steps with times, and where it stands still."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from imageskill.lib import clock
from jobs import states
from jobs.models import Job


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `at` is empty where it has not been taken, `is_gap` where it should have been."""

    name: str
    at: datetime | None
    note: str = ""
    is_gap: bool = False


def of(job: Job, *, now: datetime | None = None) -> list[Step]:
    """Lay out the steps of a job. Takes its assets' checks as prefetched by the caller."""
    now = now or clock.now()
    overdue = not job.is_final and job.deadline_at is not None and job.deadline_at < now
    checks = [asset.verdict for asset in job.assets.all() if hasattr(asset, "verdict")]
    stood = [
        Step("hold", job.created_at, f"{job.credits_held} credits"),
        Step("pick up", job.started_at, _deliveries(job)),
        Step("submit", job.submitted_at or job.call_began_at, job.provider_request_id),
        Step("answer", job.answered_at, "outcome unknown" if job.is_outcome_unknown else ""),
        Step(
            "store",
            job.stored_at,
            f"{job.storage_attempts} attempts failed" * bool(job.storage_failed_at),
        ),
        Step("check", max((one.checked_at for one in checks), default=None), _checked(checks)),
        _end(job),
    ]
    return _with_gap(stood, job, is_late=overdue or job.is_outcome_unknown)


def _deliveries(job: Job) -> str:
    return f"{job.redeliveries} redeliveries" if job.redeliveries else ""


def _checked(checks: Sequence[object]) -> str:
    bad = sum(1 for check in checks if not getattr(check, "is_good", True))
    return f"{bad} of {len(checks)} failed" if bad else ""


def _end(job: Job) -> Step:
    if job.status == states.COMPLETED:
        return Step("capture", job.completed_at, f"{job.credits_captured} credits")
    if job.is_final:
        return Step(job.status, job.completed_at, job.error_code)
    return Step("capture", None)


def _with_gap(steps: list[Step], job: Job, *, is_late: bool) -> list[Step]:
    if not is_late and job.storage_failed_at is None:
        return steps
    for index, step in enumerate(steps):
        if step.at is None and step.name != "check":
            steps[index] = Step(step.name, None, step.note, is_gap=not job.is_final)
            break
    return steps
