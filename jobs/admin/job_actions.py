"""Staff actions on jobs."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from imageskill.lib.admin.actions import (
    ActionRefused,
    ActionRequest,
    RevealedSecret,
    StaffAction,
    perform_with,
)
from jobs import states
from jobs.models import Job
from jobs.running import staff_actions, unresolved_outputs

PROMPT_VISIBLE_S = 60
_ACT = "accounts.act_on_jobs"
_REPAIR = "accounts.job_repair"
_DRY_RUN = "accounts.job_dry_run"


_perform_with = partial(perform_with, subject="job", refused=staff_actions.JobActionRefused)


def format_cost(usd: Decimal | None) -> str:
    """Return a cost in dollars as a sentence shows it."""
    return "an unknown amount" if usd is None else f"{usd.normalize():f} USD"


def _cost(job: Job) -> str:
    return format_cost(job.planned_usd if job.reported_usd is None else job.reported_usd)


def _credits(number: int) -> str:
    return "1 credit" if number == 1 else f"{number:,} credits"


def _released(job: Job) -> str:
    return (
        f"{_credits(job.credits_held)} on hold {'is' if job.credits_held == 1 else 'are'} released."
    )


def _count_images(job: Job) -> str:
    number = len(job.assets.all())
    return "1 image" if number == 1 else f"{number} images"


def _describe_credits(job: Job, *, is_taken_down: bool) -> str:
    """Return what closing the case does to a job's credits, from its hold in the ledger."""
    held = unresolved_outputs.get_hold(job)
    if held is None:
        return "The job has no hold, so this will be refused. See Ledger checks."
    if held.state == "open":
        return f"{_credits(held.credits)} on hold will be released. We absorb the cost."
    if held.state != "captured":
        return "The hold is already released, so no credits move. We absorb the cost."
    if is_taken_down:
        return (
            f"{_credits(held.captured)} captured before, so this will be refused. Adopt it instead."
        )
    return (
        f"{_credits(held.captured)} captured before: the job will show them, and no credits move."
    )


def _reveal_prompt(job: Job, action_request: ActionRequest) -> RevealedSecret:
    try:
        text = staff_actions.reveal_prompt(
            job=job, user=action_request.user, reason=action_request.reason
        )
    except staff_actions.JobActionRefused as refusal:
        raise ActionRefused(str(refusal)) from refusal
    return RevealedSecret(text=text, seconds=PROMPT_VISIBLE_S)


ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="cancel",
        label="Cancel",
        permission=_ACT,
        preview=lambda job: (
            f"The job is canceled. {_released(job)}",
            "What the provider still generates is discarded; we absorb its cost.",
        ),
        perform=_perform_with(staff_actions.cancel, "The job is canceled; its hold is released."),
        is_open=lambda job: (
            job.status in {states.QUEUED, states.RUNNING} and not job.is_outcome_unknown
        ),
        is_destructive=True,
    ),
    StaffAction(
        name="repair-storage",
        label="Repair storage",
        permission=_REPAIR,
        dry_run=_DRY_RUN,
        preview=lambda job: (
            (
                "A worker writes the staged output to storage again now. "
                f"Failed attempts so far: {job.storage_attempts}."
            ),
            "Once stored, the job completes and is charged as planned. Nothing is generated again.",
        ),
        perform=_perform_with(staff_actions.requeue, "Storing is queued. Reload in a moment."),
        is_open=lambda job: job.status == states.STORING,
    ),
    StaffAction(
        name="give-up",
        label="Fail job",
        permission=_REPAIR,
        dry_run=_DRY_RUN,
        preview=lambda job: (
            f"The staged output is discarded and the job fails. {_released(job)}",
            f"We absorb the cost: {_cost(job)}.",
        ),
        perform=_perform_with(unresolved_outputs.give_up, "The job failed; its hold is released."),
        is_open=lambda job: job.status == states.STORING and job.storage_failed_at is not None,
        is_sensitive=True,
        is_destructive=True,
    ),
    StaffAction(
        name="check",
        label="Check images",
        permission=_ACT,
        preview=lambda job: (
            (
                "Images without a check are decoded, compared with the plan and get thumbnails: "
                f"{len(staff_actions.unchecked_images(job))}."
            ),
        ),
        perform=_perform_with(
            staff_actions.check_images, "The checks are queued. Reload in a moment."
        ),
        is_open=lambda job: job.is_final and bool(staff_actions.unchecked_images(job)),
    ),
    StaffAction(
        name="adopt",
        label="Adopt",
        permission=_REPAIR,
        dry_run=_DRY_RUN,
        preview=lambda job: (
            f"The output ({_count_images(job)}) stays with its owner.",
            _describe_credits(job, is_taken_down=False),
            "The case is resolved with your reason.",
        ),
        perform=_perform_with(
            unresolved_outputs.adopt, "The images stay with their owner; the case is resolved."
        ),
        is_open=unresolved_outputs.is_uncharged,
        is_sensitive=True,
    ),
    StaffAction(
        name="release",
        label="Release",
        permission=_REPAIR,
        dry_run=_DRY_RUN,
        preview=lambda job: (
            f"The output ({_count_images(job)}) is withdrawn: its public URLs answer 410.",
            _describe_credits(job, is_taken_down=True),
            "The case is resolved with your reason.",
        ),
        perform=_perform_with(
            unresolved_outputs.release, "The images are withdrawn; the case is resolved."
        ),
        is_open=unresolved_outputs.is_uncharged,
        is_sensitive=True,
        is_destructive=True,
    ),
    StaffAction(
        name="retry",
        label="Send to a worker",
        permission=_REPAIR,
        dry_run=_DRY_RUN,
        preview=lambda job: (
            f"A worker continues the job from its present status ({job.get_status_display()}).",
            "A request that was submitted to the provider is never submitted again.",
        ),
        perform=_perform_with(staff_actions.requeue, "The job is sent to a worker."),
        is_open=lambda job: (
            job.status in {states.QUEUED, states.RUNNING} and not job.is_outcome_unknown
        ),
    ),
    StaffAction(
        name="end-unknown",
        label="End unknown outcome",
        permission=_REPAIR,
        dry_run=_DRY_RUN,
        preview=lambda job: (
            f"The job fails with PROVIDER_OUTCOME_UNKNOWN. {_released(job)}",
            f"We absorb what the provider may have billed: up to {format_cost(job.planned_usd)}.",
        ),
        perform=_perform_with(staff_actions.end_unknown, "The job failed; its hold is released."),
        is_open=lambda job: job.is_outcome_unknown,
        is_sensitive=True,
        is_destructive=True,
    ),
    StaffAction(
        name="prompt",
        label="Reveal prompt",
        permission="accounts.prompt_reveal",
        preview=lambda job: (
            f"The prompt is shown for {PROMPT_VISIBLE_S} seconds.",
            "Your name and reason are recorded in the audit log, and the sponsor is notified.",
        ),
        perform=_reveal_prompt,
        is_open=lambda job: job.operation != Job.Operation.UPLOAD,
        is_sensitive=True,
    ),
)
