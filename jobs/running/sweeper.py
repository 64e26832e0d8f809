"""Finishing what a killed worker, a lost message or a restart left. Runs every few seconds.

Messages may be lost (ADR 3), so what keeps a job moving is this look at the rows. It does not
touch a job that a live worker has, and does little itself: what can go on is sent to a worker,
what is past its deadline is ended.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from imageskill.lib import clock
from imageskill.lib.errors import ApiError, Timeout
from imageskill.lib.queue import enqueue
from jobs import states
from jobs.assets.storage import ArtifactStorageWriteFailed
from jobs.models import Job, Loss
from jobs.providers.failures import OUTCOME_UNKNOWN, TIMED_OUT, ProviderOutcomeUnknown
from jobs.running import lifecycle
from jobs.running.lifecycle import JobFailure

log = structlog.get_logger(__name__)

_BATCH_SIZE = 200  # of each kind; the next run comes in seconds
_WORKER_GRACE_S = 60  # past the deadline, for the worker that has it to end it itself


def sweep() -> dict[str, int]:
    """Look once; return how many jobs were ended, sent and handed over."""
    now = clock.now()
    return {
        # First, so that nothing past its deadline is sent to a worker only to fail there.
        "ended": sum(_expire(job, now) for job in Job.objects.overdue(now=now)[:_BATCH_SIZE]),
        "sent": _resend(Job.objects.waiting(before=now - _resend_after())[:_BATCH_SIZE], now),
        "handed_over": _resend(_stalled_jobs(now), now),
    }


def _resend_after() -> timedelta:
    return timedelta(seconds=settings.JOB_RESEND_AFTER_S)


def _stalled_jobs(now: datetime) -> list[Job]:
    # Sent a moment ago: its message may still be on its way, and a second one helps nobody.
    stalled = Job.objects.stalled(now=now).filter(sent_at__lt=now - _resend_after())
    return list(stalled[:_BATCH_SIZE])


def _resend(jobs: Iterable[Job], now: datetime) -> int:
    sent = list(jobs)
    # Marked before it is sent: should this process die in between, it is sent at the next run.
    Job.objects.filter(pk__in=[job.pk for job in sent]).update(sent_at=now)
    for job in sent:
        enqueue("jobs.run", job_id=job.public_id)
    if sent:
        log.info("jobs_sent_again", count=len(sent))
    return len(sent)


def _expire(job: Job, now: datetime) -> bool:
    """End a job past its deadline; False where its worker still has time to do so."""
    if job.status == states.QUEUED:
        return lifecycle.fail(job, _build_failure(Timeout))
    if job.status == states.STORING:
        loss = Loss.Reason.NOT_STORED
        return lifecycle.fail(job, _build_failure(ArtifactStorageWriteFailed, loss, job))
    # Nobody found out in time. The hold goes back, and what it may have cost is listed.
    if job.outcome_unknown_at is not None:
        loss = Loss.Reason.OUTCOME_UNKNOWN
        return lifecycle.fail(
            job, _build_failure(ProviderOutcomeUnknown, loss, job, failure=OUTCOME_UNKNOWN.name)
        )
    if job.deadline_at and now < job.deadline_at + timedelta(seconds=_WORKER_GRACE_S):
        return False
    if job.provider_request_id:
        enqueue("jobs.cancel_at_provider", job_id=job.public_id)
    return lifecycle.fail(
        job, _build_failure(Timeout, Loss.Reason.TOO_LATE, job, failure=TIMED_OUT.name)
    )


def _build_failure(
    error: type[ApiError],
    loss: Loss.Reason | None = None,
    job: Job | None = None,
    *,
    failure: str = "",
) -> JobFailure:
    usd = None if job is None else job.reported_usd or job.planned_usd
    return JobFailure(error=error, loss=loss, loss_usd=usd, failure=failure)
