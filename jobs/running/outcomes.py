"""The errors that a job answers with: one for each code that it can end with."""

import math
from collections import Counter

from imageskill.lib import clock
from imageskill.lib.errors import ApiError, Detail, InvalidArguments, Recovery, Timeout
from jobs import states
from jobs.assets.storage import ArtifactStorageWriteFailed
from jobs.models import Job
from jobs.providers.failures import (
    PERMANENT,
    ProviderFailure,
    ProviderOutcomeUnknown,
    ProviderPolicyDenied,
    ProviderRefused,
    ProviderUnavailable,
)
from jobs.providers.refusals import REFUSALS


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


_MISSING_WORDS = {
    "not_made": "not made by the provider",
    "policy": "refused by the provider's content check",
    "broken": "not usable as an image",
}


def error_for(job: Job) -> ApiError:
    """Return the error that a failed or canceled job answers with."""
    if job.status == states.CANCELED:
        return JobEnded(f"The job {job.public_id} was canceled; nothing was charged.")
    kind = error_class_for(job)
    recovery = Recovery()
    if not kind.retryable:  # else whoever knows the terms says how to repeat it
        recovery["suggested_command"] = f"image-skill jobs show {job.public_id} --json"
    if job.retry_at is not None:
        left_s = math.ceil((job.retry_at - clock.now()).total_seconds())
        recovery["retry_after_seconds"] = max(1, left_s)
    refusal = REFUSALS.get(job.refusal)
    details = [Detail(field=refusal.field, message=refusal.message)] if refusal else None
    message = f"{job.error_message or kind.message} The job is {job.public_id}."
    if kind.retryable:
        message += " A repeat with the same idempotency key starts a new one."
    return kind(message, details=details, recovery=recovery)


def error_class_for(job: Job) -> type[ApiError]:
    """Return the class of the error that a failed job ended with."""
    if job.error_class == PERMANENT.name:
        return ProviderRefused
    return ERRORS_BY_CODE[job.error_code]


def shortfall_warning(job: Job) -> str | None:
    """Return what is missing of a batch of which a part was delivered, and why."""
    if job.status != states.COMPLETED or not job.missing_outputs:
        return None
    counts = Counter(job.missing_outputs)
    reasons = ", ".join(
        f"{counts[reason]} {words}" for reason, words in _MISSING_WORDS.items() if counts[reason]
    )
    delivered = job.output_count - len(job.missing_outputs)
    return (
        f"{delivered} of {job.output_count} images could be delivered; you pay for "
        f"{delivered} only. Missing: {reasons}."
    )


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
