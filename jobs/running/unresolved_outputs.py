"""Outputs that hang between provider, storage and ledger, and how staff resolve each case.

Nothing here charges anybody or moves a credit twice: a hold goes back or stays as it was closed.
"""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.models import User
from billing import ledger
from billing.ledger import checks
from billing.limits import daily_use
from imageskill.lib import clock
from jobs import states
from jobs.assets import removal
from jobs.assets.storage import ArtifactStorageWriteFailed
from jobs.models import Asset, Job, Loss, Usage
from jobs.running import lifecycle
from jobs.running.lifecycle import JobFailure
from jobs.running.staff_actions import JobActionRefused

_VISIBLE_STATES = (Asset.State.AVAILABLE, Asset.State.QUARANTINED)


def unstored() -> QuerySet[Job]:
    """Return jobs whose outputs are staged and not stored yet."""
    return Job.objects.filter(status=states.STORING)


def outcome_unknown() -> QuerySet[Job]:
    """Return jobs whose call to the provider was cut off."""
    return Job.objects.filter(completed_at=None).exclude(outcome_unknown_at=None)


def uncharged() -> QuerySet[Job]:
    """Return completed jobs that were never charged."""
    return Job.objects.filter(
        status=states.COMPLETED, credits_captured__isnull=True, credits_held__gt=0
    )


def open_losses() -> QuerySet[Loss]:
    """Return losses of outputs that were never stored and whose case is open."""
    return Loss.objects.filter(reason=Loss.Reason.NOT_STORED, closed_at=None)


def is_uncharged(job: Job) -> bool:
    """Return whether the job is completed and was never charged."""
    return job.status == states.COMPLETED and job.credits_captured is None and job.credits_held > 0


def get_hold(job: Job) -> checks.JobHoldSummary | None:
    """Return what the ledger says of a job: its hold is open, captured or released, or none is."""
    return checks.job_holds([job.public_id]).get(job.public_id)


def adopt(*, job: Job, user: User, reason: str) -> None:
    """Leave images that were never charged with their owner, at the house's expense.

    A hold that is still open goes back. Where the ledger did charge the job and only its row
    does not say so, the row is corrected. Raises `JobActionRefused` where the case is closed.
    """
    with transaction.atomic():
        charged = _reconcile_charge(job, user)
        _record_audit(user, "job.adopt", job, reason, {"credits_captured": charged})


def release(*, job: Job, user: User, reason: str) -> None:
    """Take images that were never charged down; a hold that is still open goes back.

    Raises `JobActionRefused` where the ledger did charge the job: its owner has paid for them.
    """
    with transaction.atomic():
        if _reconcile_charge(job, user):
            raise JobActionRefused(
                "The ledger charged this job, so its images stay. Adopt them instead."
            )
        for asset in job.assets.filter(state__in=_VISIBLE_STATES):
            removal.withdraw(asset, user=user, reason=reason)
        _record_audit(user, "job.release", job, reason, {"credits_captured": 0})


def give_up(*, job: Job, user: User, reason: str) -> None:
    """End a job whose outputs can't be stored: its hold goes back, the cost is our loss."""
    ending = JobFailure(
        error=ArtifactStorageWriteFailed,
        loss=Loss.Reason.NOT_STORED,
        loss_usd=job.planned_usd if job.reported_usd is None else job.reported_usd,
    )
    with transaction.atomic():
        if job.status != states.STORING or not lifecycle.fail(job, ending):
            raise JobActionRefused("The job is no longer being stored.")
        _record_audit(user, "job.give_up", job, reason, {"status": states.FAILED})


def close_loss(*, loss: Loss, user: User, reason: str) -> None:
    """Close the case of a loss; it still counts. Raises `JobActionRefused` when closed."""
    with transaction.atomic():
        if Loss.objects.filter(pk=loss.pk, closed_at=None).update(closed_at=clock.now()) != 1:
            raise JobActionRefused("The case is already resolved.")
        _record_audit(user, "loss.close", loss.job, reason, {"reason": loss.reason})


def _reconcile_charge(job: Job, user: User) -> int:
    """Match the row to the ledger; return the credits charged, zero where there were none."""
    if uncharged().select_for_update().filter(pk=job.pk).first() is None:
        raise JobActionRefused("The job was charged, or its case was resolved in the meantime.")
    held = get_hold(job)
    if held is None:
        raise JobActionRefused("The job has no hold. See Ledger checks.")
    if held.state == "open":
        _release_hold(job, user)
    charged = held.captured if held.state == "captured" else 0
    if charged:
        _write_usage(job, charged)
    Job.objects.filter(pk=job.pk).update(credits_captured=charged)
    return charged


def _release_hold(job: Job, user: User) -> None:
    daily_use.release(
        agent_id=job.agent_id, taken_at=job.created_at, credits=job.credits_held, jobs=0
    )
    ledger.release(
        organization_id=job.organization_id,
        job_id=job.public_id,
        reason="never charged",
        actor=user.email,
    )


def _write_usage(job: Job, charged: int) -> None:
    first = ledger.capture(
        organization_id=job.organization_id, job_id=job.public_id, credits=charged
    )  # a replay: moves nothing
    Usage.objects.get_or_create(
        job=job,
        defaults={
            "organization_id": job.organization_id,
            "agent_id": job.agent_id,
            "credits": charged,
            "preview_credits": first.preview,
            "paid_credits": first.paid,
            "provider_usd": job.reported_usd,
        },
    )


def _record_audit(user: User, action: str, job: Job, reason: str, after: dict[str, Any]) -> None:
    audit.record(
        user=user,
        action=action,
        subject=job.public_id,
        reason=reason,
        before={"status": job.status},
        after=after,
    )
