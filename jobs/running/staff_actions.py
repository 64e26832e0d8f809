"""What staff do to a job: cancel it, end an unknown outcome, retry, check, reveal its prompt."""

from django.db import transaction

from accounts import audit
from accounts.mail import alerts
from accounts.models import Alert, User
from imageskill.lib import clock
from imageskill.lib.queue import enqueue
from jobs.models import Asset, Job, Loss, Prompt
from jobs.providers.failures import ProviderOutcomeUnknown
from jobs.running import lifecycle


class JobActionRefused(Exception):
    """The job's state does not allow the action; the text says so to staff."""


def cancel(*, job: Job, user: User, reason: str) -> None:
    """Cancel a job; its hold goes back."""
    with transaction.atomic():
        if not lifecycle.cancel(job, actor=user.email):
            raise JobActionRefused("The job has ended, is being stored, or its outcome is unknown.")
        _record_audit(user, "job.cancel", job, reason)


def end_unknown(*, job: Job, user: User, reason: str) -> None:
    """End a job whose call was cut off: its hold goes back, what it may have cost is listed."""
    ending = lifecycle.JobFailure(
        error=ProviderOutcomeUnknown,
        loss=Loss.Reason.OUTCOME_UNKNOWN,
        loss_usd=job.planned_usd,
    )
    with transaction.atomic():
        if not job.is_outcome_unknown or not lifecycle.fail(job, ending):
            raise JobActionRefused("The outcome is no longer unknown.")
        _record_audit(user, "job.end_unknown", job, reason)


def requeue(*, job: Job, user: User, reason: str) -> None:
    """Send an unfinished job to a worker, which continues where the last one stopped."""
    with transaction.atomic():
        if job.is_final:
            raise JobActionRefused("The job has ended.")
        Job.objects.filter(pk=job.pk).update(pause_until=None, sent_at=clock.now())
        _record_audit(user, "job.try_again", job, reason)
        enqueue("jobs.run", job_id=job.public_id)


def check_images(*, job: Job, user: User, reason: str) -> None:
    """Queue checks of the job's images that have not been checked yet."""
    unchecked = unchecked_images(job)
    if not unchecked:
        raise JobActionRefused("Every image of the job is checked.")
    with transaction.atomic():
        _record_audit(user, "job.check_pictures", job, reason)
        for asset in unchecked:
            enqueue("jobs.thumbnail", asset_id=asset.public_id)


def unchecked_images(job: Job) -> list[Asset]:
    """Return the images without a check; deleted ones need none."""
    there = [asset for asset in job.assets.all() if asset.state != Asset.State.DELETED]
    return [asset for asset in there if not hasattr(asset, "verdict")]


def reveal_prompt(*, job: Job, user: User, reason: str) -> str:
    """Return the prompt; record it in the audit log and tell the sponsor who looked and why."""
    prompt = Prompt.objects.filter(job=job).first()
    if prompt is None:
        raise JobActionRefused("There is no prompt, or its retention has ended.")
    with transaction.atomic():
        line = _record_audit(user, "job.reveal_prompt", job, reason)
        alerts.notify_owner(
            job.organization_id,
            Alert.Kind.PROMPT_SHOWN,
            job.public_id,
            cause=str(line),
            facts={"job": job.public_id, "reason": reason},
        )
    return prompt.text


def _record_audit(user: User, action: str, job: Job, reason: str) -> int:
    line = audit.record(
        user=user,
        action=action,
        subject=job.public_id,
        reason=reason,
        before={"status": job.status},
    )
    return line.pk
