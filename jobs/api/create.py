"""Create and edit: plan a request, or run it and wait for the outcome."""

import time

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from ninja import Router
from ninja.responses import Status

from accounts.api.auth import caller
from accounts.grants import CapabilityDenied
from accounts.models import Agent
from accounts.tokens import minting
from billing import ledger
from billing.limits import daily_use
from billing.purchases import purchase_hints
from billing.purchases.purchase_hints import CreditNeed
from imageskill.lib import clock, database
from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import ApiError, DatabaseUnavailable, InvalidArguments
from imageskill.lib.http import ApiRequest
from jobs import states
from jobs.api import answers, bodies, listing, next_actions, representations
from jobs.api.auth import LiveCallBearer
from jobs.assets import storage_quota
from jobs.assets.storage_quota import StorageFull
from jobs.models import Job
from jobs.planning import prices
from jobs.planning.request import GenerationRequest
from jobs.registry.operations import REQUIRED_GRANTS
from jobs.running import outcomes
from jobs.submission import preparation, repeating, submit, waiting
from jobs.submission.preparation import PreparedRequest

log = structlog.get_logger(__name__)

router = Router(tags=["creating"])

_RESPONSES = {200: answers.OperationOut, 202: answers.OperationOut}


@router.post(
    "/v1/create",
    auth=LiveCallBearer(REQUIRED_GRANTS["create"]),
    response=_RESPONSES,
    operation_id="create_image",
    openapi_extra=openapi_command("image-skill create"),
    summary="Create images from a prompt, or preview the cost with a dry run",
)
def create(
    request: ApiRequest, body: bodies.CreateBody
) -> answers.OperationOut | Status[answers.OperationOut]:
    """Create images and wait for the outcome; 202 while the job is still running."""
    return _execute(request, body, body.to_request("create"))


@router.post(
    "/v1/edit",
    auth=LiveCallBearer(REQUIRED_GRANTS["edit"]),
    response=_RESPONSES,
    operation_id="edit_image",
    openapi_extra=openapi_command("image-skill edit"),
    summary="Edit an image, or preview the cost with a dry run",
)
def edit(
    request: ApiRequest, body: bodies.EditBody
) -> answers.OperationOut | Status[answers.OperationOut]:
    """Edit an image and wait for the outcome; 202 while the job is still running."""
    return _execute(request, body, body.to_request("edit"))


def _execute(
    request: ApiRequest, body: bodies.OperationBody, terms: GenerationRequest
) -> answers.OperationOut | Status[answers.OperationOut]:
    started_at = time.monotonic()
    agent = caller(request)
    if body.dry_run:
        prepared = preparation.prepare(agent, terms, is_dry_run=True)
        return _dry_run_response(request, agent, prepared)
    if agent is None:
        raise minting.auth_required()
    given_key = _idempotency_key(request, body.idempotency_key)
    key = given_key or repeating.new_key()
    try:
        replay = submit.find_replay(agent, terms, key) if given_key else None
        if replay is not None and not submit.can_start_anew(replay):
            return _wait_for(request, agent, replay, started_at=started_at)
        prepared = preparation.prepare(agent, terms, is_dry_run=False)
        request.warnings.extend(prepared.plan.warnings)
        job = submit.submit(agent, prepared, idempotency_key=key, replaces=replay)
        return _wait_for(request, agent, job, started_at=started_at)
    except (OperationalError, InterfaceError):
        log.warning("database_gone", command=request.command)
        unavailable = DatabaseUnavailable()
        repeating.add_recovery(unavailable, terms, key=key)
        raise unavailable from None
    except ApiError as error:
        repeating.add_recovery(error, terms, key=key)
        raise


def _wait_for(
    request: ApiRequest, agent: Agent, job: Job, *, started_at: float
) -> Status[answers.OperationOut]:
    """Wait for a recorded job and answer with it, whatever is lost meanwhile.

    The job goes on and may be charged, so from here on no answer may say that nothing was done.
    """
    # What came before counts: callers give up a fixed time after they sent the request.
    timeout_s = settings.CREATE_WAIT_S - (time.monotonic() - started_at)
    try:
        if waiting.wait(job, timeout_s=timeout_s):
            return _job_response(request, agent, job)
    except (OperationalError, InterfaceError) as error:
        log.warning("database_gone_after_commit", error=type(error).__name__)
        database.release_connection()
    return _accepted_response(request, job)


def _accepted_response(request: ApiRequest, job: Job) -> Status[answers.OperationOut]:
    """Answer 202 with a job of which nothing but its id is known now; reads nothing."""
    request.warnings.append(
        f"The job {job.public_id} is recorded, but its state can't be read right now; "
        "wait for it by its id."
    )
    out = answers.OperationOut(
        job_id=job.public_id,
        job=answers.JobBrief(job_id=job.public_id, status=states.RUNNING),
        capability=answers.CapabilityRef(id=job.capability_id),
        asset_ids=[],
        assets=[],
        input_asset=None,
        cost=representations.cost_out(job),
        quota=_quota(None, consumed=0),
        usage_event_id=None,
        request=job.plan["request"],
        safety=answers.SafetyOut(status="allowed"),
        recovery=representations.recovery_out(job),
        trace_id=job.trace_id,
        next_actions=next_actions.after_job(job, []),
    )
    return Status(202, out)


def _idempotency_key(request: ApiRequest, in_body: str | None) -> str | None:
    """Return the key from body or header; where both are sent they must agree."""
    in_header = request.headers.get("Idempotency-Key")
    if in_header is None or in_header == in_body:
        return in_body
    if in_body is not None:
        message = "differs from the header Idempotency-Key"
        raise InvalidArguments(details=[{"field": "idempotency_key", "message": message}])
    if not (1 <= len(in_header) <= 200 and in_header.isascii() and in_header.isprintable()):
        message = "must be 1 to 200 printable ASCII characters"
        raise InvalidArguments(details=[{"field": "Idempotency-Key", "message": message}])
    return in_header


def _job_response(request: ApiRequest, agent: Agent, job: Job) -> Status[answers.OperationOut]:
    """Answer with a completed, canceled or running job; raises the error of a failed one."""
    if job.status == states.FAILED:
        raise outcomes.error_for(job)
    pending = outcomes.pending_error_for(job)
    if pending is not None:
        raise pending
    is_completed = job.status == states.COMPLETED
    assets = listing.available_assets(job)
    usage = getattr(job, "usage", None) if is_completed else None  # none where nobody was charged
    balances = _balances(agent)
    next_out = next_actions.after_job(job, assets, need=_need(balances))
    out = answers.OperationOut(
        job_id=job.public_id,
        job=answers.JobBrief(job_id=job.public_id, status=job.status),
        capability=answers.CapabilityRef(id=job.capability_id),
        asset_ids=[asset.public_id for asset in assets],
        assets=[representations.asset_out(asset, job) for asset in assets],
        input_asset=_input_asset(job),
        cost=representations.cost_out(job),
        quota=_quota(balances, consumed=job.credits_captured or 0),
        usage_event_id=None if usage is None else usage.public_id,
        request=job.plan["request"],
        safety=answers.SafetyOut(status="allowed"),
        recovery=None if job.is_final else representations.recovery_out(job),
        trace_id=job.trace_id,
        next_actions=next_out,
        self_fund_next_command=next_actions.recommended_quote_command(next_out),
    )
    if job.status == states.CANCELED:
        request.warnings.append(f"The job {job.public_id} was canceled; nothing was charged.")
    request.warnings.extend(filter(None, [outcomes.shortfall_warning(job)]))
    if job.is_final:
        return Status(200, out)
    request.warnings.append(f"The job {job.public_id} is still running; wait for it by its id.")
    return Status(202, out)


def _dry_run_response(
    request: ApiRequest, agent: Agent | None, prepared: PreparedRequest
) -> answers.OperationOut:
    plan = prepared.plan
    balances = _balances(agent)
    quota = _quota(balances, consumed=0)
    request.warnings.extend(plan.warnings)
    if agent is not None and _remaining(quota) < plan.cost.credits:
        request.warnings.append("There are not enough credits to run this plan.")
    if agent is not None:
        request.warnings.extend(_limit_warnings(agent, plan.cost.credits))
    input_id = plan.request.input_asset_id
    image = prepared.assets[input_id] if input_id else None
    next_out = next_actions.after_plan(_need(balances))
    return answers.OperationOut(
        job_id=None,
        job=None,
        capability=answers.CapabilityRef(id=plan.capability_id),
        asset_ids=[],
        assets=[],
        input_asset=None if image is None else representations.asset_out(image, image.job),
        cost=prices.cost_document(plan.cost),
        quota=quota,
        usage_event_id=None,
        request=plan.request_document() | {"dry_run": True},
        accepted_model_parameters=dict(plan.parameters),
        safety=answers.SafetyOut(status="allowed"),
        trace_id=request.trace_id,
        next_actions=next_out,
        self_fund_next_command=next_actions.recommended_quote_command(next_out),
    )


def _limit_warnings(agent: Agent, credits: int) -> list[str]:
    try:
        storage_quota.check(agent)
        daily_use.check(agent=agent, credits=credits, at=clock.now())
    except (StorageFull, daily_use.DailyJobLimit, CapabilityDenied) as refusal:
        return [f"This plan would be refused now. {refusal.text}"]
    return []


def _balances(agent: Agent | None) -> ledger.Balances | None:
    return None if agent is None else ledger.balances(agent.organization_id)


def _quota(balances: ledger.Balances | None, *, consumed: int) -> answers.QuotaOut:
    return answers.QuotaOut(
        consumed_credits=consumed,
        remaining_credits=balances and balances.preview,
        payment_backed_remaining_credits=balances and balances.paid,
    )


def _need(balances: ledger.Balances | None) -> CreditNeed | None:
    """Return how urgently the caller needs credits; None where nobody's balance was read."""
    if balances is None:
        return None
    return purchase_hints.assess_need(
        preview=balances.preview, paid=balances.paid, owed=balances.owed
    )


def _remaining(quota: answers.QuotaOut) -> int:
    return (quota.remaining_credits or 0) + (quota.payment_backed_remaining_credits or 0)


def _input_asset(job: Job) -> answers.AssetOut | None:
    if job.operation != Job.Operation.EDIT:
        return None
    job_input = job.inputs.select_related("asset__job").filter(role="input").first()
    if job_input is None:
        return None
    return representations.asset_out(job_input.asset, job_input.asset.job)
