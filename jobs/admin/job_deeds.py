"""What staff can do to a job."""

from collections.abc import Callable, Sequence
from typing import Any

from imageskill.lib.admin.deeds import Asked, Deed, Refused, Secret
from jobs import care, states
from jobs.models import Job

SHOWN_FOR_S = 60


def _calling(verb: Callable[..., Any], done: str) -> Callable[[Job, Asked], str]:
    def perform(job: Job, asked: Asked) -> str:
        try:
            verb(job=job, user=asked.user, reason=asked.reason)
        except care.NotPossible as refusal:
            raise Refused(str(refusal)) from refusal
        return done

    return perform


def _reveal(job: Job, asked: Asked) -> Secret:
    try:
        text = care.reveal_prompt(job=job, user=asked.user, reason=asked.reason)
    except care.NotPossible as refusal:
        raise Refused(str(refusal)) from refusal
    return Secret(text=text, seconds=SHOWN_FOR_S)


ALL: Sequence[Deed] = (
    Deed(
        name="cancel",
        label="Cancel",
        permission="accounts.act_on_jobs",
        preview=lambda job: (
            f"The job ends as canceled and the {job.credits_held} credits that it holds go back.",
            "What the provider still makes of it is thrown away; its cost is ours.",
        ),
        perform=_calling(care.cancel, "The job is canceled; its hold went back."),
        is_open=lambda job: (
            job.status in {states.QUEUED, states.RUNNING} and not job.is_outcome_unknown
        ),
        is_destructive=True,
    ),
    Deed(
        name="retry",
        label="Send to a worker",
        permission="accounts.job_repair",
        dry_run="accounts.job_dry_run",
        preview=lambda job: (
            f"A worker takes the job up where it stands ({job.status}).",
            "A request that the provider has already is followed, never made a second time.",
        ),
        perform=_calling(care.try_again, "The job is on its way to a worker."),
        is_open=lambda job: not job.is_final and not job.is_outcome_unknown,
    ),
    Deed(
        name="end-unknown",
        label="End unknown outcome",
        permission="accounts.job_repair",
        dry_run="accounts.job_dry_run",
        preview=lambda job: (
            "The job ends as failed with PROVIDER_OUTCOME_UNKNOWN.",
            f"The {job.credits_held} credits that it holds go back.",
            f"Up to {job.planned_usd or 0} USD may have been billed; it is listed as our loss.",
        ),
        perform=_calling(care.end_unknown, "The job is over; its hold went back."),
        is_open=lambda job: job.is_outcome_unknown,
        is_sensitive=True,
        is_destructive=True,
    ),
    Deed(
        name="prompt",
        label="Show prompt",
        permission="accounts.prompt_reveal",
        preview=lambda job: (
            f"The prompt is shown for {SHOWN_FOR_S} seconds.",
            "Who looked and why stays in the audit, and the sponsor is told.",
        ),
        perform=_reveal,
        is_open=lambda job: job.operation != Job.Operation.UPLOAD,
        is_sensitive=True,
    ),
)
