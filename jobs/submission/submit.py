"""Record a prepared request as a job, hold its credits and queue it.

Job, prompt, hold and the day's count are written together or not at all; a worker gets the job
after commit.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.grants import CapabilityDenied
from accounts.models import Agent
from billing import ledger
from billing.limits import daily_use
from imageskill.lib import clock, ids, trace
from imageskill.lib.errors import IdempotencyConflict
from imageskill.lib.queue import enqueue
from jobs.models import Job, JobInput, Prompt
from jobs.planning.request import GenerationRequest
from jobs.providers.interface import INPUT, MASK
from jobs.running import provider_requests
from jobs.submission.preparation import PreparedRequest

_IDEMPOTENCY_CONSTRAINT = "job_once_for_an_idempotency_key"


def find_replay(agent: Agent, request: GenerationRequest, key: str) -> Job | None:
    """Return the job that an earlier call with this key started.

    Raises `IdempotencyConflict` where that call had different arguments.
    """
    job = Job.objects.filter(agent=agent, idempotency_key=key).first()
    if job is not None and job.terms_digest != request.digest:
        fresh = ids.random_text(16)
        raise IdempotencyConflict(
            recovery={
                "idempotency_key": fresh,
                "suggested_command": (
                    f"image-skill {request.operation} --idempotency-key {fresh} --json"
                ),
            }
        )
    return job


def submit(agent: Agent, prepared: PreparedRequest, *, idempotency_key: str | None) -> Job:
    """Hold the credits, record the job and queue it.

    Returns the other job where a concurrent call used the same key first. Raises `DailyJobLimit`,
    `InsufficientCredits`, `CapabilityDenied` or `IdempotencyConflict`; nothing is written then,
    except the sponsor's notice of a cap that refused.
    """
    try:
        with transaction.atomic():
            return _create_job(agent, prepared, idempotency_key)
    except CapabilityDenied:  # outside of the transaction, which took everything back
        daily_use.notify_refusal(agent=agent, credits=prepared.plan.cost.credits, at=clock.now())
        raise
    # Two calls with one key at once: the constraint lets one through, the other answers with it.
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if (
            diagnosis is None
            or diagnosis.constraint_name != _IDEMPOTENCY_CONSTRAINT
            or not idempotency_key
        ):
            raise
    job = find_replay(agent, prepared.plan.request, idempotency_key)
    if job is None:
        raise RuntimeError("the job that holds this idempotency key is gone")
    return job


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
