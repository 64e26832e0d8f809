"""The transitions of a job, each in a transaction of its own and each claimed by its row.

A transition is an `UPDATE … WHERE status = …`: one row changed, or another process was first and
the function returns False (ADR 3). Money, events and the row change together or not at all. Locks
are taken in one order everywhere, so that two transitions never wait for each other: the job, the
day's use, the wallets (ADR 9).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from billing import ledger
from billing.limits import daily_use
from imageskill.lib import clock, metrics
from imageskill.lib.errors import ApiError
from imageskill.lib.queue import enqueue
from jobs import notifications, states
from jobs.assets import storage
from jobs.models import Asset, Job, Loss, StagedOutput, Usage
from jobs.providers import batches
from jobs.providers.failures import POLICY
from jobs.providers.interface import MissingOutput, Submission
from jobs.running import charging, leases

_MAX_STORAGE_PAUSE_S = 300
_LOSS_BY_MISSING: dict[str, Loss.Reason] = {
    "policy": Loss.Reason.BILLED_REFUSAL,
    "broken": Loss.Reason.UNDECODABLE,
}


@dataclass(frozen=True, kw_only=True)
class DecodedOutput:
    """An output that was decoded and staged, on its way into storage."""

    index: int
    kept_key: str
    mime_type: str
    content_length: int
    width: int
    height: int
    sha256: str
    manifest: str = ""
    min_luma: int | None = None
    min_alpha: int | None = None
    conversions: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class JobFailure:
    """Why a job ends without an image, and what that may cost the house."""

    error: type[ApiError]
    failure: str = ""  # a name of the providers' failure table, where it was theirs
    message: str = ""
    refusal: str = ""  # what the provider did not take, by its name
    retry_after_s: int | None = None
    loss: Loss.Reason | None = None
    loss_usd: Decimal | None = None

    @property
    def is_caller_error(self) -> bool:
        """Whether the job's slot of the day stays used."""
        return self.failure == POLICY.name


def start(job: Job, *, lease: str) -> bool:
    """Claim a queued job; return False where another worker has it."""
    now = clock.now()
    return _update_if(
        job,
        Q(status=states.QUEUED),
        status=states.RUNNING,
        started_at=now,
        lease=lease,
        leased_until=now + leases.duration(),
    )


def resume(job: Job, *, lease: str) -> bool:
    """Claim a job that a lost worker left or whose pause is over; False where another has.

    Its first worker may be alive after all and only have lost its lease: every later transition
    asks the row again, so the first result counts and the other finds the row changed (ADR 12).
    """
    now = clock.now()
    is_ours = _update_one(
        Job.objects.stalled(now=now).filter(pk=job.pk),
        lease=lease,
        leased_until=now + leases.duration(),
        pause_until=None,
        redeliveries=F("redeliveries") + 1,
    )
    if is_ours:
        # What that worker wrote since the job was read decides whether the provider is called.
        job.refresh_from_db()
    return is_ours


def pause(job: Job, *, seconds: float) -> None:
    """Pause the job; the sweeper sends it to a worker again.

    Its lease ends with the pause: a job that only waits must not look like one that a worker has.
    """
    Job.objects.filter(pk=job.pk).update(
        pause_until=clock.now() + timedelta(seconds=seconds), leased_until=None
    )


def record_call(job: Job) -> bool:
    """Record that the provider is about to be called; where it returns False, never call.

    True once in a job's life, whoever asks: a call that left no answer is not repeated (ADR 12).
    """
    return _update_one(
        Job.objects.filter(pk=job.pk, status=states.RUNNING, call_began_at=None),
        call_began_at=clock.now(),
        attempts=F("attempts") + 1,
    )


def record_submission(job: Job, submission: Submission) -> bool:
    """Record by what to collect, whatever the job's status; False where it has ended."""
    # Without a condition on the status: a canceled job needs the id too, to be canceled there.
    Job.objects.filter(pk=job.pk).update(
        provider_request_id=submission.request_id,
        provider_state=submission.state,
        submitted_at=clock.now(),
    )
    job.refresh_from_db()
    return not job.is_final


def mark_outcome_unknown(job: Job) -> None:
    """Mark the job as cut off mid-call. It keeps its hold and is never submitted again.

    The hold stays because the run may have been made and billed. A deadline or staff end it.
    """
    now = clock.now()
    with transaction.atomic():
        if _update_one(
            Job.objects.filter(pk=job.pk, status=states.RUNNING, outcome_unknown_at=None),
            outcome_unknown_at=now,
            deadline_at=now + timedelta(seconds=settings.OUTCOME_UNKNOWN_DEADLINE_S),
            leased_until=None,
        ):
            notifications.wake_waiters(job)


def stage_outputs(
    job: Job,
    *,
    outputs: Sequence[DecodedOutput],
    missing: Sequence[MissingOutput] = (),
    reported_usd: Decimal | None,
    usage: Mapping[str, object],
    request_id: str | None,
) -> bool:
    """Record what the provider made (running → storing); False where the job has ended.

    `missing` says why others of the batch are not among the outputs. An outcome that was thought
    unknown and comes after all counts like any other.
    """
    now = clock.now()
    fields: dict[str, Any] = {"provider_request_id": request_id} if request_id else {}
    with transaction.atomic():
        if not _update_if(
            job,
            Q(status__in=states.predecessors(states.STORING)),
            status=states.STORING,
            answered_at=now,
            deadline_at=now + timedelta(seconds=settings.STORAGE_REPAIR_DEADLINE_S),
            outcome_unknown_at=None,
            reported_usd=reported_usd,
            provider_usage=dict(usage),
            missing_outputs=[one.reason for one in missing],
            **fields,
        ):
            return False
        StagedOutput.objects.bulk_create(
            StagedOutput(job=job, **vars(output)) for output in outputs
        )
    return True


def record_storage_failure(job: Job) -> None:
    """Record that storing failed; the sweeper sends it again, after growing pauses."""
    now = clock.now()
    seconds = min(2**job.storage_attempts * 5, _MAX_STORAGE_PAUSE_S)
    with transaction.atomic():
        Job.objects.filter(pk=job.pk, status=states.STORING).update(
            storage_failed_at=job.storage_failed_at or now,
            storage_attempts=F("storage_attempts") + 1,
            pause_until=now + timedelta(seconds=seconds),
            leased_until=None,
        )
        notifications.wake_waiters(job)


def complete(job: Job, staged: Sequence[StagedOutput], *, stored_at: datetime) -> bool:
    """Complete a job (storing → completed): assets, capture, usage and events, all or nothing.

    `staged` are all its outputs, stored by now. False where the job has ended already; then
    nothing was written.
    """
    charge = _compute_charge(job, outputs=len(staged))
    with transaction.atomic():
        # First of all: only one process gets past it, so that nothing below happens twice.
        if not _finish(job, states.COMPLETED, stored_at=stored_at, credits_captured=charge.credits):
            return False
        assets = Asset.objects.bulk_create(_build_asset(job, output) for output in staged)
        usage = _capture(job, charge)
        notifications.publish_completed(job, assets=assets, usage=usage)
        job.staged_outputs.all().delete()
        for asset in assets:
            enqueue("jobs.thumbnail", asset_id=asset.public_id)
        _discard_files([output.kept_key for output in staged])
    return True


def fail(job: Job, ending: JobFailure) -> bool:
    """End a job without an image: its hold goes back, its slot too unless the caller is to blame.

    False where it has ended already; a loss is recorded all the same.
    """
    with transaction.atomic():
        # Before the claim: the provider bills its run whoever ended the job.
        _record_loss(job, ending)
        if not _finish(
            job,
            states.FAILED,
            error_code=ending.error.code,
            error_message=ending.message or ending.error.message,
            error_class=ending.failure,
            refusal=ending.refusal,
            retry_at=_retry_at(ending),
        ):
            return False
        _release(job, jobs=0 if ending.is_caller_error else 1, reason=ending.error.code.lower())
        notifications.publish_ended(job)
        _delete_staged(job)
    return True


def cancel(job: Job, *, actor: str) -> bool:
    """Cancel a queued or running job: its hold goes back, its slot of the day stays used.

    False where it has ended, is being stored, or its outcome is unknown. What the provider
    still makes of it is discarded, and its cost is the house's.
    """
    with transaction.atomic():
        # Not while its outcome is unknown: the image may exist and be paid for, and staff decide.
        claim = Q(status=states.QUEUED) | Q(status=states.RUNNING, outcome_unknown_at=None)
        if not _finish(job, states.CANCELED, claim=claim):
            return False
        job.refresh_from_db()  # a worker may have begun its call meanwhile
        _release(job, jobs=0, reason="canceled", actor=actor)
        notifications.publish_ended(job)
        if job.call_began_at is not None:
            enqueue("jobs.cancel_at_provider", job_id=job.public_id)
    return True


def record_loss(job: Job, *, reason: Loss.Reason, usd: Decimal | None) -> None:
    """Record what a provider bills for a job that nobody pays for; once for each reason."""
    # By a unique constraint: a repeated step, and two at once, record the same loss.
    Loss.objects.bulk_create([Loss(job=job, reason=reason, usd=usd)], ignore_conflicts=True)


def _update_one(jobs: Any, **changes: Any) -> bool:
    return bool(jobs.update(**changes) == 1)


def _update_if(job: Job, condition: Q, **changes: Any) -> bool:
    """Change the row where the condition still holds, and the object with it."""
    if not _update_one(Job.objects.filter(condition, pk=job.pk), **changes):
        return False
    for name, value in changes.items():
        setattr(job, name, value)
    return True


def _finish(job: Job, status: str, *, claim: Q | None = None, **changes: Any) -> bool:
    """Claim the end of the job, by its row; nothing that follows may run where this is False."""
    is_ours = _update_if(
        job,
        claim or Q(status__in=states.predecessors(status)),
        status=status,
        completed_at=clock.now(),
        leased_until=None,
        pause_until=None,
        **changes,
    )
    if is_ours:
        metrics.JOBS_ENDED.labels(job.provider_id, job.model_id, status, job.error_code).inc()
    return is_ours


def _build_asset(job: Job, output: StagedOutput) -> Asset:
    asset = Asset(
        public_id=output.asset_public_id,
        organization_id=job.organization_id,
        agent_id=job.agent_id,
        job=job,
        index=output.index,
        kind=Asset.Kind.GENERATED,
        mime_type=output.mime_type,
        content_length=output.content_length,
        width=output.width,
        height=output.height,
        sha256=output.sha256,
        manifest=output.manifest,
        min_luma=output.min_luma,
        min_alpha=output.min_alpha,
        conversions=output.conversions,
    )
    asset.storage_key = storage.asset_key(asset.public_id, asset.extension)
    return asset


def _compute_charge(job: Job, *, outputs: int) -> charging.JobCharge:
    return charging.compute_charge(
        planned_usd=job.planned_usd,
        reported_usd=job.reported_usd,
        is_usage_priced=job.plan["cost"]["is_usage_priced"],
        credits_held=job.credits_held,
        outputs=outputs,
        planned_outputs=job.output_count,
        margin=Decimal(job.plan["cost"]["margin"]),
        undelivered=len(batches.billed(job.missing_outputs)),
    )


def _capture(job: Job, charge: charging.JobCharge) -> Usage:
    returned = job.credits_held - charge.credits
    # The day's use before the wallets, as everywhere: the order of locks (ADR 9).
    if returned:
        daily_use.release(agent_id=job.agent_id, taken_at=job.created_at, credits=returned, jobs=0)
    captured = ledger.capture(
        organization_id=job.organization_id, job_id=job.public_id, credits=charge.credits
    )
    if charge.excess_usd:
        record_loss(job, reason=Loss.Reason.ABOVE_HOLD, usd=charge.excess_usd)
    _record_undelivered(job, charge.undelivered_usd)
    return Usage.objects.create(
        job=job,
        organization_id=job.organization_id,
        agent_id=job.agent_id,
        credits=charge.credits,
        preview_credits=captured.preview,
        paid_credits=captured.paid,
        provider_usd=charge.provider_usd,
    )


def _record_undelivered(job: Job, usd: Decimal | None) -> None:
    """Record what the provider bills for the images of a batch that are not delivered."""
    billed = batches.billed(job.missing_outputs)
    for reason, loss in _LOSS_BY_MISSING.items():
        if reason in billed:
            share = None if usd is None else usd * billed.count(reason) / len(billed)
            record_loss(job, reason=loss, usd=share)


def _release(job: Job, *, jobs: int, reason: str, actor: str = "system") -> None:
    daily_use.release(
        agent_id=job.agent_id, taken_at=job.created_at, credits=job.credits_held, jobs=jobs
    )
    ledger.release(
        organization_id=job.organization_id, job_id=job.public_id, reason=reason, actor=actor
    )


def _retry_at(ending: JobFailure) -> datetime | None:
    seconds = ending.retry_after_s
    return None if seconds is None else clock.now() + timedelta(seconds=seconds)


def _record_loss(job: Job, ending: JobFailure) -> None:
    if ending.loss is not None:
        record_loss(job, reason=ending.loss, usd=ending.loss_usd)


def _delete_staged(job: Job) -> None:
    keys = list(job.staged_outputs.values_list("kept_key", flat=True))
    if keys:
        job.staged_outputs.all().delete()
        _discard_files(keys)


def _discard_files(keys: Sequence[str]) -> None:
    # After the commit: rolled back, the rows still need these files.
    transaction.on_commit(lambda: storage.discard_staged(*keys))
