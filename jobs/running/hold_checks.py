"""Ledger checks that know jobs: each job against what the ledger holds and captured for it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from django.db.models import Q

from billing.ledger import checks
from billing.ledger.checks import CheckedUpTo, JobHoldSummary, LedgerProblem
from jobs import states
from jobs.models import Job

_BATCH = 5000
_OVERLAP = timedelta(minutes=15)  # longer than a transaction
_HOLD_CHECK = "each running job has its hold, an ended one none"
_CAPTURE_CHECK = "each completed job was captured once, others never, nor those given away"


class _JobRow(NamedTuple):
    """What a job says of its credits."""

    pk: int
    public_id: str
    status: str
    credits_held: int
    credits_captured: int | None


def problems(since: CheckedUpTo | None = None) -> Iterator[LedgerProblem]:
    """Check each job that held credits, and that no hold is without one.

    With `since`, only jobs that are open, or began or ended since then.
    """
    yield from _jobs_without_hold(since)
    yield from _holds_without_job()


def _jobs_without_hold(since: CheckedUpTo | None) -> Iterator[LedgerProblem]:
    last = 0
    live = Job.objects.exclude(operation=Job.Operation.UPLOAD).order_by("id")
    if since is not None:
        after = since.at - _OVERLAP
        live = live.filter(
            Q(status__in=states.OPEN) | Q(created_at__gte=after) | Q(completed_at__gte=after)
        )
    rows = live.values_list(*_JobRow._fields)
    while batch := [_JobRow(*row) for row in rows.filter(id__gt=last)[:_BATCH]]:
        last = batch[-1].pk
        held = checks.job_holds(job.public_id for job in batch)
        for job in batch:
            yield from _check_job(job, held.get(job.public_id))


def _check_job(job: _JobRow, held: JobHoldSummary | None) -> Iterator[LedgerProblem]:
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
