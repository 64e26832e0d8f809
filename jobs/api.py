"""Endpoints of creating, uploading, assets and jobs."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Router
from ninja.errors import ValidationError
from ninja.responses import Status
from pydantic import ValidationError as Malformed

from accounts import grants, keys
from accounts.auth import Bearer, bearer, caller
from accounts.models import Agent
from billing import ledger
from imageskill.errors import Detail, InvalidArguments, NotFound, PayloadTooLarge
from imageskill.lib import strict_json
from imageskill.lib.envelope import command
from imageskill.lib.http import ApiRequest
from jobs import (
    answers,
    assets,
    lifecycle,
    outcomes,
    preparing,
    prices,
    requests,
    schemas,
    states,
    submission,
    uploads,
    waiting,
)
from jobs.asks import OutputAsk
from jobs.models import Asset, Job
from jobs.preparing import Prepared
from jobs.registry.entry import Operation
from jobs.requests import Request

router = Router()


class Granted(Bearer):
    """A bearer token whose agent has a grant; asked before the body is looked at."""

    def __init__(self, grant: str, *, is_required: bool = True) -> None:
        self.grant = grant
        super().__init__(is_required=is_required)

    def __call__(self, request: HttpRequest) -> Agent | bool:
        """Check token and grant."""
        auth = super().__call__(request)
        if isinstance(auth, Agent):
            grants.require(auth, self.grant)
        return auth


_OPERATION = {200: schemas.OperationOut, 202: schemas.OperationOut}


@router.post(
    "/v1/create",
    auth=Granted("image.create", is_required=False),
    response=_OPERATION,
    openapi_extra=command("image-skill create"),
    summary="Create images from a prompt, or plan it for nothing",
    tags=["creating"],
)
def create(request: ApiRequest, body: schemas.CreateBody) -> Any:
    """Create, wait for the outcome, and answer with it; 202 while it still runs."""
    return _operate(request, _request("create", body), body)


@router.post(
    "/v1/edit",
    auth=Granted("image.edit", is_required=False),
    response=_OPERATION,
    openapi_extra=command("image-skill edit"),
    summary="Make images from a picture, or plan it for nothing",
    tags=["creating"],
)
def edit(request: ApiRequest, body: schemas.EditBody) -> Any:
    """Edit, wait for the outcome, and answer with it; 202 while it still runs."""
    asked = _request(
        "edit", body, input_asset_id=body.input_asset_id, mask_asset_id=body.mask_asset_id
    )
    return _operate(request, asked, body)


@router.post(
    "/v1/upload",
    auth=Granted("asset.upload"),
    response=schemas.UploadOut,
    openapi_extra=command("image-skill upload")
    | {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schemas.UploadBody.model_json_schema()}},
        }
    },
    summary="Upload a picture to edit or refer to",
    tags=["assets"],
)
def upload(request: ApiRequest) -> dict[str, Any]:
    """Take a picture in; the body is read only once there is a place for it."""
    with uploads.place():
        declared, data, mime_type = _upload(request)
        asset = uploads.receive(agent=request.auth, declared=declared, data=data)
    return {
        "request": {
            "source_kind": declared.source_kind,
            "filename": declared.filename,
            "remote_origin": declared.remote_origin,
        },
        "asset": answers.asset_out(asset, asset.job),
        "upload": {
            "bytes": declared.content_length,
            "mime_type": mime_type,
            "sha256": declared.sha256,
            "policy": {"status": "allowed"},
        },
    }


@router.get(
    "/v1/assets",
    auth=bearer,
    response=schemas.AssetsOut,
    exclude_unset=True,
    openapi_extra=command("image-skill assets list"),
    summary="List the organization's pictures, newest first",
    tags=["assets"],
)
def list_assets(
    request: ApiRequest,
    limit: schemas.Limit = 20,
    cursor: schemas.Cursor | None = None,
    provenance: bool = False,
) -> dict[str, Any]:
    """Give a page; `next_cursor` leads on, null at the end."""
    shows = _shows_provenance(request, provenance)
    mine = request.auth.organization_id
    pictures = Asset.objects.of(mine).select_related("job")
    page, next_cursor = _page(pictures, organization_id=mine, limit=limit, cursor=cursor)
    return {
        "assets": [answers.asset_out(one, one.job, with_provenance=shows) for one in page],
        "next_cursor": next_cursor,
    }


@router.get(
    "/v1/assets/{asset_id}",
    auth=bearer,
    response=schemas.ShowAssetOut,
    exclude_unset=True,
    openapi_extra=command("image-skill assets show"),
    summary="Show a picture",
    tags=["assets"],
)
def show_asset(request: ApiRequest, asset_id: str, provenance: bool = False) -> dict[str, Any]:
    """Give one asset of the caller's organization."""
    shows = _shows_provenance(request, provenance)
    asset = _asset(request, asset_id)
    return {
        "request": {"reference": asset_id, "reference_type": "asset_id"},
        "asset": answers.asset_out(asset, asset.job, with_provenance=shows),
    }


@router.delete(
    "/v1/assets/{asset_id}",
    auth=bearer,
    response=schemas.DeletedOut,
    openapi_extra=command("image-skill assets delete"),
    summary="Delete a picture",
    tags=["assets"],
)
def delete_asset(request: ApiRequest, asset_id: str) -> dict[str, Any]:
    """Delete one asset; its public address answers 410 from now on."""
    assets.delete(_asset(request, asset_id))
    return {"asset_id": asset_id, "state": "deleted"}


@router.get(
    "/v1/jobs",
    auth=bearer,
    response=schemas.JobsOut,
    exclude_unset=True,
    openapi_extra=command("image-skill jobs list"),
    summary="List the organization's jobs, newest first",
    tags=["jobs"],
)
def list_jobs(
    request: ApiRequest,
    limit: schemas.Limit = 20,
    cursor: schemas.Cursor | None = None,
    provenance: bool = False,
) -> dict[str, Any]:
    """Give a page; `next_cursor` leads on, null at the end."""
    shows = _shows_provenance(request, provenance)
    mine = request.auth.organization_id
    jobs = Job.objects.of(mine).prefetch_related("assets")
    page, next_cursor = _page(jobs, organization_id=mine, limit=limit, cursor=cursor)
    return {
        "jobs": [answers.job_out(job, _there(job), with_provenance=shows) for job in page],
        "next_cursor": next_cursor,
    }


@router.get(
    "/v1/jobs/{job_id}",
    auth=bearer,
    response=schemas.ShowJobOut,
    exclude_unset=True,
    openapi_extra=command("image-skill jobs show"),
    summary="Show a job",
    tags=["jobs"],
)
def show_job(request: ApiRequest, job_id: str, provenance: bool = False) -> dict[str, Any]:
    """Give one job of the caller's organization, as it stands."""
    shows = _shows_provenance(request, provenance)
    job = _job(request, job_id)
    out = answers.job_out(job, _there(job), with_provenance=shows)
    return {
        "request": {"job_id": job_id},
        "job": out,
        "status": job.status,
        "state": job.status,
        "assets": out["assets"],
        "cost": out["cost"],
    }


@router.post(
    "/v1/jobs/{job_id}/cancel",
    auth=bearer,
    response=schemas.CanceledOut,
    exclude_unset=True,
    openapi_extra=command("image-skill jobs cancel"),
    summary="Cancel a queued or running job",
    tags=["jobs"],
)
def cancel_job(request: ApiRequest, job_id: str) -> dict[str, Any]:
    """Cancel a job; its credits come back. 409 where it has ended or can't be stopped."""
    job = _job(request, job_id)
    if not lifecycle.cancel(job, actor=request.auth.public_id):
        job.refresh_from_db()
        raise outcomes.JobEnded(
            f"The job {job_id} is {job.status} and can't be canceled.",
            recovery={"suggested_command": f"image-skill jobs show {job_id} --json"},
        )
    return {"job": answers.job_out(job, [])}


def _request(
    operation: Operation, body: schemas.CreateBody | schemas.EditBody, **pictures: str | None
) -> Request:
    output = body.output or schemas.OutputBody()
    sizes = output.model_dump(exclude={"format"})
    return Request(
        operation=operation,
        prompt=body.prompt,
        model=body.model,
        provider=body.provider,
        intent=body.intent,
        aspect_ratio=body.aspect_ratio,
        output=OutputAsk(format="jpeg" if output.format == "jpg" else output.format, **sizes),
        output_count=body.output_count,
        references=tuple(
            requests.Reference(**(one.model_dump() | {"index": one.index or 0}))
            for one in body.references or []
        ),
        model_parameters=body.model_parameters or {},
        max_estimated_usd_per_image=body.max_estimated_usd_per_image,
        max_usd=body.max_usd,
        accept_unknown_cost=body.accept_unknown_cost,
        **pictures,
    )


def _operate(
    request: ApiRequest, asked: Request, body: schemas.CreateBody | schemas.EditBody
) -> Any:
    agent = caller(request)
    if body.dry_run:
        prepared = preparing.prepare(agent, asked, is_dry_run=True)
        return _planned(request, agent, prepared)
    if agent is None:
        raise keys.auth_required()
    key = _idempotency_key(request, body.idempotency_key)
    job = submission.replay(agent, asked, key) if key else None
    if job is None:
        prepared = preparing.prepare(agent, asked, is_dry_run=False)
        request.warnings.extend(prepared.plan.warnings)
        job = submission.submit(agent, prepared, idempotency_key=key)
    waiting.wait(job, timeout_s=settings.CREATE_WAIT_S)
    return _outcome(request, agent, job)


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


def _outcome(request: ApiRequest, agent: Agent, job: Job) -> Any:
    """Answer with what became of the job: completed, still running, or the error it ended with."""
    if job.status in {states.FAILED, states.CANCELED}:
        raise outcomes.error_of(job)
    pending = outcomes.pending_error_of(job)
    if pending is not None:
        raise pending
    done = _there(job)
    balances = ledger.balances(agent.organization_id)
    out = {
        "job_id": job.public_id,
        "job": {"job_id": job.public_id, "status": job.status},
        "capability": {"id": job.capability_id},
        "asset_ids": [asset.public_id for asset in done],
        "assets": [answers.asset_out(asset, job) for asset in done],
        "input_asset": _input_asset(job),
        "cost": answers.cost_of(job),
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
        return Status(200, out | {"usage_event_id": job.usage.public_id})
    request.warnings.append(f"The job {job.public_id} is still running; wait for it by its id.")
    return Status(202, out | {"recovery": answers.waiting_for(job)})


def _planned(request: ApiRequest, agent: Agent | None, prepared: Prepared) -> dict[str, Any]:
    plan = prepared.plan
    balances = None if agent is None else ledger.balances(agent.organization_id)
    request.warnings.extend(plan.warnings)
    if balances is not None and balances.preview + balances.paid < plan.cost.credits:
        request.warnings.append("There are not enough credits to run this plan.")
    picture = prepared.input_asset
    return {
        "job_id": None,
        "job": None,
        "capability": {"id": prepared.plan.capability_id},
        "asset_ids": [],
        "assets": [],
        "input_asset": None if picture is None else answers.asset_out(picture, picture.job),
        "cost": prices.cost_document(plan.cost),
        "quota": {
            "consumed_credits": 0,
            "remaining_credits": None if balances is None else balances.preview,
            "payment_backed_remaining_credits": None if balances is None else balances.paid,
        },
        "usage_event_id": None,
        "request": preparing.request_out(prepared) | {"dry_run": True},
        "accepted_model_parameters": dict(plan.parameters),
        "safety": {"status": "allowed"},
    }


def _input_asset(job: Job) -> dict[str, Any] | None:
    if job.operation != Job.Operation.EDIT:
        return None
    one = job.inputs.select_related("asset__job").filter(role="input").first()
    return None if one is None else answers.asset_out(one.asset, one.asset.job)


def _upload(request: ApiRequest) -> tuple[uploads.Declared, bytes, str]:
    """Read the body of an upload; large as it is, only one copy of it stays."""
    body = _upload_body(request)
    data = uploads.decoded(body.bytes_base64)
    declared = uploads.Declared(
        source_kind=body.source_kind,
        filename=uploads.base_name(body.filename or ""),
        remote_origin=None if body.remote_origin is None else uploads.origin_of(body.remote_origin),
        mime_type=body.mime_type,
        content_length=body.content_length,
        sha256=body.sha256.lower(),
    )
    return declared, data, uploads.type_of(data)


def _upload_body(request: ApiRequest) -> schemas.UploadBody:
    limit = settings.UPLOAD_BODY_BYTES
    if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
        raise PayloadTooLarge(f"The request body may have at most {limit} bytes.")
    try:
        return schemas.UploadBody.model_validate(strict_json.parse(request.read()))
    except strict_json.NotStrictJson as error:
        details = [Detail(field="body", message=str(error))]
        raise InvalidArguments(str(error), details=details) from None
    except Malformed as error:
        raise ValidationError(
            [{"loc": ("body", "upload", *one["loc"]), "msg": one["msg"]} for one in error.errors()]
        ) from None


def _shows_provenance(request: ApiRequest, is_wanted: bool) -> bool:
    if is_wanted:
        grants.require(request.auth, "provenance.read")
    return is_wanted


def _asset(request: ApiRequest, asset_id: str) -> Asset:
    mine = Asset.objects.of(request.auth.organization_id).select_related("job")
    asset = mine.filter(public_id=asset_id).first()
    if asset is None:
        raise NotFound
    return asset


def _job(request: ApiRequest, job_id: str) -> Job:
    mine = Job.objects.of(request.auth.organization_id).prefetch_related("assets")
    job = mine.filter(public_id=job_id).first()
    if job is None:
        raise NotFound
    return job


def _there(job: Job) -> Sequence[Asset]:
    """Give the job's pictures that can be fetched, in order."""
    pictures = [asset for asset in job.assets.all() if asset.is_available]
    return sorted(pictures, key=lambda asset: asset.index)


def _page(
    rows: Any, *, organization_id: int, limit: int, cursor: str | None
) -> tuple[list[Any], str | None]:
    if cursor:
        mine = rows.model.objects.filter(organization_id=organization_id, public_id=cursor)
        last = mine.values_list("id", flat=True).first()
        if last is None:
            message = "use next_cursor of an earlier answer"
            raise InvalidArguments(
                "The cursor is not one of this list.",
                details=[{"field": "cursor", "message": message}],
            )
        rows = rows.filter(id__lt=last)
    page = list(rows.order_by("-id")[: limit + 1])
    return page[:limit], page[limit - 1].public_id if len(page) > limit else None
