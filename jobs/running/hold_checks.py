"""Ledger checks that know jobs: each job against what the ledger holds and captured for it."""

from collections.abc import Iterator

from billing.ledger import checks
from billing.ledger.checks import JobHoldSummary, LedgerProblem
from jobs import states
from jobs.models import Job

_BATCH = 1000
_HOLD_CHECK = "each running job has its hold, an ended one none"
_CAPTURE_CHECK = "each completed job was captured once, others never, nor those given away"


def problems() -> Iterator[LedgerProblem]:
    """Check each job that held credits, and that no hold is without one."""
    yield from _jobs_without_hold()
    yield from _holds_without_job()


def _jobs_without_hold() -> Iterator[LedgerProblem]:
    last = 0
    live = Job.objects.exclude(operation=Job.Operation.UPLOAD).order_by("id")
    live = live.only("id", "public_id", "status", "credits_held", "credits_captured")
    while batch := list(live.filter(id__gt=last)[:_BATCH]):
        last = batch[-1].pk
        held = checks.job_holds(job.public_id for job in batch)
        for job in batch:
            yield from _check_job(job, held.get(job.public_id))


def _check_job(job: Job, held: JobHoldSummary | None) -> Iterator[LedgerProblem]:
    if held is None:
        yield LedgerProblem(_HOLD_CHECK, job.public_id, f"is {job.status} and never held anything")
        return
    if held.credits != job.credits_held:
        yield LedgerProblem(
            _HOLD_CHECK, job.public_id, f"planned {job.credits_held}, held {held.credits}"
        )
    if (held.state == "open") != (job.status in states.OPEN):
        yield LedgerProblem(
            _HOLD_CHECK, job.public_id, f"is {job.status} and its hold is {held.state}"
        )
    is_given = job.credits_captured == 0  # an image that staff adopted at the house's expense
    if (held.state == "captured") != (job.status == states.COMPLETED and not is_given):
        yield LedgerProblem(
            _CAPTURE_CHECK, job.public_id, f"is {job.status} and its hold is {held.state}"
        )
    if held.captured != (job.credits_captured or 0):
        yield LedgerProblem(
            _CAPTURE_CHECK, job.public_id, f"says {job.credits_captured}, captured {held.captured}"
        )


def _holds_without_job() -> Iterator[LedgerProblem]:
    for job_ids in checks.open_hold_job_ids():
        known = set(Job.objects.filter(public_id__in=job_ids).values_list("public_id", flat=True))
        for job_id in job_ids:
            if job_id not in known:
                yield LedgerProblem(_HOLD_CHECK, job_id, "holds credits and does not exist")
