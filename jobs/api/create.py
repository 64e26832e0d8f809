"""Create and edit: plan it, or make it and wait for the outcome."""

from typing import Any

from django.conf import settings
from ninja import Router
from ninja.responses import Status

from accounts.api.auth import caller
from accounts.models import Agent
from accounts.tokens import minting
from billing import ledger
from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import InvalidArguments
from imageskill.lib.http import ApiRequest
from jobs import states
from jobs.api import listing, representations, schemas
from jobs.api.auth import GrantBearer
from jobs.models import Job
from jobs.planning import prices, requests
from jobs.planning.asks import OutputSpec
from jobs.planning.requests import GenerationRequest
from jobs.registry.entry import Operation
from jobs.running import outcomes
from jobs.submission import preparation, submit, waiting
from jobs.submission.preparation import PreparedRequest

router = Router(tags=["creating"])

_RESPONSES = {200: schemas.OperationOut, 202: schemas.OperationOut}


@router.post(
    "/v1/create",
    auth=GrantBearer("image.create", is_required=False),
    response=_RESPONSES,
    openapi_extra=openapi_command("image-skill create"),
    summary="Create images from a prompt, or plan it for nothing",
)
def create(request: ApiRequest, body: schemas.CreateBody) -> Any:
    """Create, wait for the outcome, and answer with it; 202 while it still runs."""
    return _execute(request, _build_request("create", body), body)


@router.post(
    "/v1/edit",
    auth=GrantBearer("image.edit", is_required=False),
    response=_RESPONSES,
    openapi_extra=openapi_command("image-skill edit"),
    summary="Make images from an image, or plan it for nothing",
)
def edit(request: ApiRequest, body: schemas.EditBody) -> Any:
    """Edit, wait for the outcome, and answer with it; 202 while it still runs."""
    asked = _build_request(
        "edit", body, input_asset_id=body.input_asset_id, mask_asset_id=body.mask_asset_id
    )
    return _execute(request, asked, body)


def _build_request(
    operation: Operation, body: schemas.CreateBody | schemas.EditBody, **images: str | None
) -> GenerationRequest:
    output = body.output or schemas.OutputBody()
    sizes = output.model_dump(exclude={"format"})
    return GenerationRequest(
        operation=operation,
        prompt=body.prompt,
        model=body.model,
        provider=body.provider,
        intent=body.intent,
        aspect_ratio=body.aspect_ratio,
        output=OutputSpec(format="jpeg" if output.format == "jpg" else output.format, **sizes),
        output_count=body.output_count,
        references=tuple(
            requests.ReferenceInput(**(one.model_dump() | {"index": one.index or 0}))
            for one in body.references or []
        ),
        model_parameters=body.model_parameters or {},
        max_estimated_usd_per_image=body.max_estimated_usd_per_image,
        max_usd=body.max_usd,
        accept_unknown_cost=body.accept_unknown_cost,
        **images,
    )


def _execute(
    request: ApiRequest, asked: GenerationRequest, body: schemas.CreateBody | schemas.EditBody
) -> Any:
    agent = caller(request)
    if body.dry_run:
        prepared = preparation.prepare(agent, asked, is_dry_run=True)
        return _dry_run_response(request, agent, prepared)
    if agent is None:
        raise minting.auth_required()
    key = _idempotency_key(request, body.idempotency_key)
    job = submit.find_replay(agent, asked, key) if key else None
    if job is None:
        prepared = preparation.prepare(agent, asked, is_dry_run=False)
        request.warnings.extend(prepared.plan.warnings)
        job = submit.submit(agent, prepared, idempotency_key=key)
    waiting.wait(job, timeout_s=settings.CREATE_WAIT_S)
    return _job_response(request, agent, job)


def _idempotency_key(request: ApiRequest, in_body: str | None) -> str | None:
    """Read the key from body or header; both, if they agree."""
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


def _job_response(request: ApiRequest, agent: Agent, job: Job) -> Any:
    """Answer with what became of the job: completed, still running, or the error it ended with."""
    if job.status in {states.FAILED, states.CANCELED}:
        raise outcomes.error_for(job)
    pending = outcomes.pending_error_for(job)
    if pending is not None:
        raise pending
    done = listing.available_assets(job)
    balances = ledger.balances(agent.organization_id)
    out = {
        "job_id": job.public_id,
        "job": {"job_id": job.public_id, "status": job.status},
        "capability": {"id": job.capability_id},
        "asset_ids": [asset.public_id for asset in done],
        "assets": [representations.asset_out(asset, job) for asset in done],
        "input_asset": _input_asset(job),
        "cost": representations.cost_out(job),
        "quota": {
            "consumed_credits": job.credits_captured or 0,
            "remaining_credits": balances.preview,
            "payment_backed_remaining_credits": balances.paid,
        },
        "usage_event_id": None,
        "request": job.plan["request"],
        "safety": {"status": "allowed"},
    }
    if job.status == states.COMPLETED:
        usage = getattr(job, "usage", None)  # there is none where the house paid
        return Status(200, out | {"usage_event_id": usage and usage.public_id})
    request.warnings.append(f"The job {job.public_id} is still running; wait for it by its id.")
    return Status(202, out | {"recovery": representations.recovery_out(job)})


def _dry_run_response(
    request: ApiRequest, agent: Agent | None, prepared: PreparedRequest
) -> dict[str, Any]:
    plan = prepared.plan
    balances = None if agent is None else ledger.balances(agent.organization_id)
    request.warnings.extend(plan.warnings)
    if balances is not None and balances.preview + balances.paid < plan.cost.credits:
        request.warnings.append("There are not enough credits to run this plan.")
    image = prepared.input_asset
    return {
        "job_id": None,
        "job": None,
        "capability": {"id": prepared.plan.capability_id},
        "asset_ids": [],
        "assets": [],
        "input_asset": None if image is None else representations.asset_out(image, image.job),
        "cost": prices.cost_document(plan.cost),
        "quota": {
            "consumed_credits": 0,
            "remaining_credits": None if balances is None else balances.preview,
            "payment_backed_remaining_credits": None if balances is None else balances.paid,
        },
        "usage_event_id": None,
        "request": preparation.request_out(prepared) | {"dry_run": True},
        "accepted_model_parameters": dict(plan.parameters),
        "safety": {"status": "allowed"},
    }


def _input_asset(job: Job) -> dict[str, Any] | None:
    if job.operation != Job.Operation.EDIT:
        return None
    one = job.inputs.select_related("asset__job").filter(role="input").first()
    return None if one is None else representations.asset_out(one.asset, one.asset.job)
