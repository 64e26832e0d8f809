"""A job as it was at a past time, from the timestamps in its row."""

from datetime import datetime
from typing import NamedTuple

from jobs import states
from jobs.models import Job


class JobSnapshot(NamedTuple):
    """A job's status, its error if it had failed, and what it held or had cost."""

    status: str
    error_code: str
    credits_held: int
    credits_captured: int | None


def job_at(job: Job, *, at: datetime) -> JobSnapshot:
    """Return what a job was at that time; it must have been created by then."""
    if job.completed_at is not None and job.completed_at <= at:
        return JobSnapshot(job.status, job.error_code, job.credits_held, job.credits_captured)
    return JobSnapshot(_open_status(job, at), "", job.credits_held, None)


def _open_status(job: Job, at: datetime) -> str:
    if job.answered_at is not None and job.answered_at <= at:
        return states.STORING
    if job.started_at is not None and job.started_at <= at:
        return states.RUNNING
    return states.QUEUED
