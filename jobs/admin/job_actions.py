"""What staff can do to a job."""

from collections.abc import Callable, Sequence
from typing import Any

from imageskill.lib.admin.actions import ActionRefused, ActionRequest, RevealedSecret, StaffAction
from jobs import states
from jobs.models import Job
from jobs.running import staff_actions, unresolved_outputs

PROMPT_VISIBLE_S = 60
_ACT = "accounts.act_on_jobs"
_REPAIR = "accounts.job_repair"
_DRY_RUN = "accounts.job_dry_run"


def _perform_with(verb: Callable[..., Any], done: str) -> Callable[[Job, ActionRequest], str]:
    def perform(job: Job, action_request: ActionRequest) -> str:
        try:
            verb(job=job, user=action_request.user, reason=action_request.reason)
        except staff_actions.JobActionRefused as refusal:
            raise ActionRefused(str(refusal)) from refusal
        return done

    return perform


def _describe_cost(job: Job) -> object:
    cost = job.planned_usd if job.reported_usd is None else job.reported_usd
    return "An unknown number of" if cost is None else cost


def _count_images(job: Job) -> str:
    number = len(job.assets.all())
    return "1 image" if number == 1 else f"{number} images"


def _describe_credits(job: Job, *, is_taken_down: bool) -> str:
    """Return what closing the case does to a job's credits, by what the ledger has of it."""
    held = unresolved_outputs.get_hold(job)
    if held is None:
        return "It never held anything, so this will be refused; see the check of the books."
    if held.state == "open":
        return f"The credits that it still holds go back: {held.credits}. The cost is ours."
    if held.state != "captured":
        return "Its hold went back before, so no credit moves. The cost is ours."
    if is_taken_down:
        return f"It was charged all along ({held.captured}), so this will be refused: adopt it."
    return f"It was charged all along: from now on it says {held.captured}, and no credit moves."


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
            f"The job ends as canceled and the {job.credits_held} credits that it holds go back.",
            "What the provider still makes of it is thrown away; its cost is ours.",
        ),
        perform=_perform_with(staff_actions.cancel, "The job is canceled; its hold went back."),
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
                f"A worker writes the kept output to storage again, now; {job.storage_attempts} "
                "attempts have failed."
            ),
            "Once it is stored the job completes and is charged as planned. Nothing is made anew.",
        ),
        perform=_perform_with(staff_actions.requeue, "Storing is tried again; look in a moment."),
        is_open=lambda job: job.status == states.STORING,
    ),
    StaffAction(
        name="give-up",
        label="Give up storing",
        permission=_REPAIR,
        dry_run=_DRY_RUN,
        preview=lambda job: (
            "The kept output is thrown away and the job ends as failed.",
            f"The {job.credits_held} credits that it holds go back.",
            f"{_describe_cost(job)} USD are listed as our loss.",
        ),
        perform=_perform_with(unresolved_outputs.give_up, "The job is over; its hold went back."),
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
                "Images that nobody has looked at are decoded, compared with the plan, and get "
                f"their thumbnails: {len(staff_actions.unchecked_images(job))}."
            ),
        ),
        perform=_perform_with(staff_actions.check_images, "They are checked; look in a moment."),
        is_open=lambda job: job.is_final and bool(staff_actions.unchecked_images(job)),
    ),
    StaffAction(
        name="adopt",
        label="Adopt",
        permission=_REPAIR,
        dry_run=_DRY_RUN,
        preview=lambda job: (
            f"What it made ({_count_images(job)}) stays with its owner.",
            _describe_credits(job, is_taken_down=False),
            "The case is closed with your reason.",
        ),
        perform=_perform_with(
            unresolved_outputs.adopt, "The images are adopted; the case is closed."
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
            f"What it made ({_count_images(job)}) is taken down: public addresses answer 410.",
            _describe_credits(job, is_taken_down=True),
            "The case is closed with your reason.",
        ),
        perform=_perform_with(
            unresolved_outputs.release, "The images are taken down; the case is closed."
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
            f"A worker takes the job up where it stands ({job.status}).",
            "A request that the provider has already is followed, never made a second time.",
        ),
        perform=_perform_with(staff_actions.requeue, "The job is on its way to a worker."),
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
            "The job ends as failed with PROVIDER_OUTCOME_UNKNOWN.",
            f"The {job.credits_held} credits that it holds go back.",
            f"Up to {job.planned_usd or 0} USD may have been billed; it is listed as our loss.",
        ),
        perform=_perform_with(staff_actions.end_unknown, "The job is over; its hold went back."),
        is_open=lambda job: job.is_outcome_unknown,
        is_sensitive=True,
        is_destructive=True,
    ),
    StaffAction(
        name="prompt",
        label="Show prompt",
        permission="accounts.prompt_reveal",
        preview=lambda job: (
            f"The prompt is shown for {PROMPT_VISIBLE_S} seconds.",
            "Who looked and why stays in the audit, and the sponsor is told.",
        ),
        perform=_reveal_prompt,
        is_open=lambda job: job.operation != Job.Operation.UPLOAD,
        is_sensitive=True,
    ),
)
