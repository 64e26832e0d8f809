"""Record a prepared request as a job, hold its credits and queue it.

Job, prompt, hold and the day's count are written together or not at all; a worker gets the job
after commit.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction

from accounts.grants import CapabilityDenied
from accounts.models import Agent
from billing import ledger
from billing.limits import daily_use
from imageskill.lib import clock, database, trace
from imageskill.lib.errors import ApiError, IdempotencyConflict
from imageskill.lib.queue import enqueue
from jobs import states
from jobs.models import Job, JobInput, Prompt
from jobs.planning.request import GenerationRequest
from jobs.providers.interface import INPUT, MASK
from jobs.running import outcomes, provider_requests
from jobs.submission import repeating
from jobs.submission.preparation import PreparedRequest

_IDEMPOTENCY_CONSTRAINT = "job_once_for_an_idempotency_key"


class _KeyTaken(Exception):
    """A concurrent call with this idempotency key was first."""


def find_replay(agent: Agent, request: GenerationRequest, key: str) -> Job | None:
    """Return the job that an earlier call with this key started.

    Raises `IdempotencyConflict` where that call had different arguments.
    """
    job = Job.objects.filter(agent=agent, idempotency_key=key).first()
    if job is not None and job.terms_digest != request.digest:
        fresh = repeating.new_key()
        raise IdempotencyConflict(
            recovery={
                "idempotency_key": fresh,
                "suggested_command": repeating.command(request, key=fresh),
            }
        )
    return job


def can_start_anew(job: Job) -> bool:
    """Whether a repeat of the job's call makes a new job: it failed uncharged, and may succeed."""
    return (
        job.status == states.FAILED
        and not job.credits_captured
        and outcomes.error_for(job).retryable
    )


def submit(
    agent: Agent,
    prepared: PreparedRequest,
    *,
    idempotency_key: str | None,
    replaces: Job | None = None,
) -> Job:
    """Hold the credits, record the job and queue it; the key then stands for it.

    `replaces` is the failed job that the key stood for. Returns the other job where a concurrent
    call used the same key first. Raises `DailyJobLimit`, `InsufficientCredits`,
    `CapabilityDenied` or `IdempotencyConflict`; nothing is written then, except the sponsor's
    notice of a cap that refused.
    """
    try:
        return _record(agent, prepared, idempotency_key, replaces)
    except _KeyTaken:
        job = _find_other(agent, prepared.plan.request, idempotency_key, replaces)
        if job is None:
            raise RuntimeError("the job that holds this idempotency key is gone") from None
        return job
    except ApiError as refusal:
        # What refused it may be the very job that a concurrent call with this key has started.
        job = _find_other(agent, prepared.plan.request, idempotency_key, replaces)
        if job is not None:
            return job
        if isinstance(refusal, CapabilityDenied):  # outside of the transaction, now rolled back
            credits, now = prepared.plan.cost.credits, clock.now()
            daily_use.notify_refusal(agent=agent, credits=credits, at=now)
        raise


def _find_other(
    agent: Agent, request: GenerationRequest, key: str | None, replaced: Job | None
) -> Job | None:
    job = find_replay(agent, request, key) if key else None
    return None if job is None or job == replaced else job


def _record(
    agent: Agent, prepared: PreparedRequest, idempotency_key: str | None, replaces: Job | None
) -> Job:
    """Write everything in one transaction; raise `_KeyTaken` where the key has another job."""
    job: Job | None = None
    try:
        with transaction.atomic():
            if replaces is not None:
                _take_key(replaces)
            job = _create_job(agent, prepared, idempotency_key)
    except IntegrityError as error:
        # Two calls with one key at once: the constraint lets one through.
        diagnosis = getattr(error.__cause__, "diag", None)
        if diagnosis is None or diagnosis.constraint_name != _IDEMPOTENCY_CONSTRAINT:
            raise
        raise _KeyTaken from None
    except (OperationalError, InterfaceError):
        # Cut off before the commit, nothing was written. Cut off at it, only the row can tell.
        if job is None or not _is_committed(job):
            raise
        enqueue("jobs.run", job_id=job.public_id)  # what waited for the commit went with it
    return job


def _take_key(failed: Job) -> None:
    """Take the key from a failed job; the row's lock lets one of many concurrent calls do it."""
    # First of all locks: the job, the day's use, the wallets (ADR 9).
    jobs = Job.objects.filter(pk=failed.pk, idempotency_key=failed.idempotency_key)
    if not jobs.update(idempotency_key=None):
        raise _KeyTaken


def _is_committed(job: Job) -> bool:
    return database.is_committed(Job.objects.filter(public_id=job.public_id).exists)


def _create_job(agent: Agent, prepared: PreparedRequest, idempotency_key: str | None) -> Job:
    now, plan = clock.now(), prepared.plan
    request = plan.request
    # The day's use, then the wallets: the order of locks everywhere (ADR 9).
    daily_use.reserve(agent=agent, credits=plan.cost.credits, at=now)
    job = Job.objects.create(
        organization_id=agent.organization_id,
        agent=agent,
        operation=request.operation,
        trace_id=trace.current(),
        idempotency_key=idempotency_key,
        terms_digest=request.digest if idempotency_key else "",
        capability_id=plan.capability_id,
        model_id=plan.model.id,
        provider_id=plan.model.provider,
        output_count=plan.output_count,
        plan=provider_requests.plan_snapshot(plan) | {"request": plan.request_document()},
        planned_usd=plan.cost.planned_usd,
        credits_held=plan.cost.credits,
        created_at=now,
        sent_at=now,  # should the message below get lost, the sweeper goes by this (ADR 3)
        deadline_at=now + timedelta(seconds=settings.JOB_DEADLINE_S),
    )
    if plan.prompt:
        Prompt.objects.create(job=job, text=plan.prompt)
    JobInput.objects.bulk_create(_build_inputs(job, prepared))
    ledger.hold(
        organization_id=agent.organization_id,
        job_id=job.public_id,
        credits=plan.cost.credits,
        actor=agent.public_id,
    )
    # After the commit: a worker that is quicker than it would find no job.
    enqueue("jobs.run", job_id=job.public_id)
    return job


def _build_inputs(job: Job, prepared: PreparedRequest) -> Sequence[JobInput]:
    request, assets = prepared.plan.request, prepared.assets
    named = ((INPUT, request.input_asset_id), (MASK, request.mask_asset_id))
    inputs = [
        JobInput(job=job, asset=assets[asset_id], role=role) for role, asset_id in named if asset_id
    ]
    inputs += [
        JobInput(
            job=job,
            asset=assets[reference.asset_id],
            role=reference.role,
            index=reference.index,
            reference_index=reference.reference_index,
            reference_task=reference.reference_task or "",
        )
        for reference in request.references
    ]
    return inputs
