"""The errors that a job answers with: one for each code that it can end with."""

import math

from imageskill.lib import clock
from imageskill.lib.errors import ApiError, InvalidArguments, Recovery, Timeout
from jobs import states
from jobs.assets.storage import ArtifactStorageWriteFailed
from jobs.models import Job
from jobs.providers.failures import (
    ProviderFailure,
    ProviderOutcomeUnknown,
    ProviderPolicyDenied,
    ProviderUnavailable,
)


class JobEnded(InvalidArguments):
    """The job has ended, or can't be canceled in its present state."""

    status = 409
    message = "The job has ended already."


ERRORS_BY_CODE: dict[str, type[ApiError]] = {
    error.code: error
    for error in (
        ArtifactStorageWriteFailed,
        ProviderFailure,
        ProviderOutcomeUnknown,
        ProviderPolicyDenied,
        ProviderUnavailable,
        Timeout,
    )
}


def error_for(job: Job) -> ApiError:
    """Return the error that a failed or canceled job answers with."""
    if job.status == states.CANCELED:
        return JobEnded(f"The job {job.public_id} was canceled; nothing was charged.")
    kind = ERRORS_BY_CODE[job.error_code]
    recovery = Recovery()
    if not kind.retryable:  # else whoever knows the terms says how to repeat it
        recovery["suggested_command"] = f"image-skill jobs show {job.public_id} --json"
    if job.retry_at is not None:
        left_s = math.ceil((job.retry_at - clock.now()).total_seconds())
        recovery["retry_after_seconds"] = max(1, left_s)
    message = f"{job.error_message or kind.message} The job is {job.public_id}."
    if kind.retryable:
        message += " A repeat with the same idempotency key starts a new one."
    return kind(message, recovery=recovery)


def pending_error_for(job: Job) -> ApiError | None:
    """Return the error of an unfinished job whose outcome is unknown or whose storing failed."""
    if job.is_final:
        return None
    if job.outcome_unknown_at is not None:
        return _pending_error(ProviderOutcomeUnknown, job, "show")
    if job.storage_failed_at is not None:
        return _pending_error(ArtifactStorageWriteFailed, job, "wait")
    return None


def _pending_error(kind: type[ApiError], job: Job, subcommand: str) -> ApiError:
    return kind(
        f"{kind.message} The job is {job.public_id}.",
        recovery={"suggested_command": f"image-skill jobs {subcommand} {job.public_id} --json"},
    )
