"""The routes under `/openai/v1`: each becomes requests to our own API."""

import base64
import json
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import structlog
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt
from pydantic import ValidationError

from accounts.models import Agent
from accounts.tokens import minting
from imageskill.cli.grammar.requests import EndpointRequest
from imageskill.lib import clock
from imageskill.lib.errors import (
    ApiError,
    DatabaseUnavailable,
    InvalidArguments,
    MethodNotAllowed,
    NotFound,
    RateLimited,
)
from imageskill.lib.postgresql import strict_json
from imageskill.web import inner_requests, rate_limits
from imageskill.web.openai_adapter import errors, files, retries
from imageskill.web.openai_adapter.fields import (
    EditFields,
    GenerationFields,
    ImageFields,
    ParameterRefused,
    build_terms,
    find_model,
)
from jobs import registry
from jobs.planning.selection import DEFAULT
from jobs.registry.entry import Model
from jobs.registry.operations import Operation

log = structlog.get_logger(__name__)

View = Callable[..., HttpResponse]

_FILES = {"image", "image[]", "mask"}
_NUMBERS = {"n", "output_compression", "partial_images", "max_usd", "max_estimated_usd_per_image"}
_FLAGS = {"accept_unknown_cost", "stream"}


class _Refused(Exception):
    """One of our endpoints refused; the answer to the caller is ready."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response
        super().__init__(response.status_code)


def _route(method: str) -> Callable[[View], View]:
    """Return a decorator for a route of one method, whose errors are in OpenAI's shape."""

    def decorate(view: View) -> View:
        @csrf_exempt  # callers carry a bearer token, never a cookie
        def routed(request: HttpRequest, **parts: str) -> HttpResponse:
            if request.method != method:
                response = _refuse(request, errors.from_api_error(MethodNotAllowed()))
                response["Allow"] = method
                return response
            try:
                return view(request, **parts)
            except _Refused as refused:
                return refused.response
            except (ParameterRefused, ValidationError) as refusal:
                return _refuse(request, errors.from_refusal(refusal))
            except ApiError as error:
                return _refuse(request, errors.from_api_error(error))
            except (OperationalError, InterfaceError):
                log.warning("database_gone", path=request.path_info)
                return errors.from_api_error(DatabaseUnavailable())

        return routed

    return decorate


@_route("GET")
def list_models(request: HttpRequest) -> HttpResponse:
    """Return the models that can run now."""
    return _json({"object": "list", "data": [_model_out(row) for row in _models(request)]})


@_route("GET")
def show_model(request: HttpRequest, model_id: str) -> HttpResponse:
    """Return one model that can run now."""
    named = registry.find(model_id)
    wanted = model_id if named is None else named.id
    for row in _models(request):
        if row["id"] == wanted or (model_id == DEFAULT and row["default"]):
            return _json(_model_out(row))
    return errors.build(
        "MODEL_UNAVAILABLE",
        "There is no such model, or it can't run now.",
        status=404,
        param="model",
    )


@_route("POST")
def generate(request: HttpRequest) -> HttpResponse:
    """Create images from a prompt."""
    _caller(request)
    fields = GenerationFields.model_validate(_document(request))
    model = find_model(fields.model, "create")
    terms = build_terms(fields, model)
    key, is_repeatable = retries.key_for(request, terms)
    return _run(request, "create", terms, fields, model, key=key, is_repeatable=is_repeatable)


@_route("POST")
def edit(request: HttpRequest) -> HttpResponse:
    """Edit the first image, with a mask and further images beside where the model takes them."""
    agent = _caller(request)  # before the files are read
    fields = EditFields.model_validate(_form_fields(request))
    given = files.read(request)
    model = find_model(fields.model, "edit")
    terms = build_terms(fields, model)
    key, is_repeatable = retries.key_for(request, terms | given.digests)
    terms |= files.uploaded_before(agent, key, given) or _upload(request, given)
    return _run(request, "edit", terms, fields, model, key=key, is_repeatable=is_repeatable)


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """Answer for every other route of OpenAI's API."""
    message = "This route is not offered; models, images/generations and images/edits are."
    return _refuse(request, errors.from_api_error(NotFound(message)))


def _refuse(request: HttpRequest, refusal: HttpResponse) -> HttpResponse:
    """Return a refusal that none of our endpoints made, and so none has counted."""
    try:
        rate_limits.enforce_late(request)
    except RateLimited as limited:
        return errors.from_api_error(limited)
    return refusal


def _run(
    request: HttpRequest,
    operation: Operation,
    terms: dict[str, Any],
    fields: ImageFields,
    model: Model | None,
    *,
    key: str,
    is_repeatable: bool,
) -> HttpResponse:
    status, envelope = _call(
        request, EndpointRequest("POST", f"/v1/{operation}", terms | {"idempotency_key": key})
    )
    data = envelope["data"]
    if status == 202:
        return _still_running(envelope, is_repeatable=is_repeatable)
    with_bytes = fields.response_format == "b64_json" or (
        fields.response_format is None and model is not None and model.provider == "openai"
    )
    first = data["assets"][0]
    return _json(
        {
            "created": int(clock.now().timestamp()),
            "data": [_image_out(request, asset, with_bytes=with_bytes) for asset in data["assets"]],
            "size": f"{first['width']}x{first['height']}",
            "output_format": first["mime_type"].removeprefix("image/"),
            "image_skill": {
                "job_id": data["job_id"],
                "asset_ids": data["asset_ids"],
                "consumed_credits": data["quota"]["consumed_credits"],
                "remaining_credits": data["quota"]["remaining_credits"],
                "payment_backed_remaining_credits": data["quota"][
                    "payment_backed_remaining_credits"
                ],
                "warnings": envelope["warnings"],
            },
        },
        trace_id=envelope["trace_id"],
    )


def _still_running(envelope: dict[str, Any], *, is_repeatable: bool) -> HttpResponse:
    """Answer where the wait ended before the job; a repeat with its key waits for the same job."""
    job_id = envelope["data"]["job_id"]
    advice = "Repeat the call with the same Idempotency-Key, or ask" if is_repeatable else "Ask"
    return errors.build(
        "TIMEOUT",
        f"The job {job_id} is still running and goes on. {advice} GET /v1/jobs/{job_id}.",
        status=504,
        retryable=is_repeatable,
        recovery=envelope["data"]["recovery"],
        trace_id=envelope["trace_id"],
    )


def _upload(request: HttpRequest, given: files.Files) -> dict[str, Any]:
    """Upload the files of an edit; return the terms that name them."""
    names = []
    for file in [*given.images, *([given.mask] if given.mask else [])]:
        body = files.upload_body(file)
        _, envelope = _call(request, EndpointRequest("POST", "/v1/upload", body))
        names.append(envelope["data"]["asset"]["asset_id"])
    mask = names.pop() if given.mask else None
    return files.image_terms(names, mask)


def _models(request: HttpRequest) -> list[dict[str, Any]]:
    _, envelope = _call(request, EndpointRequest("GET", "/v1/models?available=true"))
    return cast("list[dict[str, Any]]", envelope["data"]["models"])


def _call(request: HttpRequest, inner: EndpointRequest) -> tuple[int, dict[str, Any]]:
    """Return status and envelope of one of our endpoints. Raises `_Refused`."""
    status, content = inner_requests.send(request, inner)
    envelope = json.loads(content)
    if not envelope["ok"]:
        raise _Refused(errors.from_envelope(envelope, status=status))
    return status, envelope


def _model_out(row: dict[str, Any]) -> dict[str, Any]:
    # Our catalog knows no date of a model's making.
    return {"id": row["id"], "object": "model", "created": 0, "owned_by": row["provider_id"]}


def _image_out(request: HttpRequest, asset: dict[str, Any], *, with_bytes: bool) -> dict[str, str]:
    out = {"url": asset["url"]}
    if with_bytes:
        status, content = inner_requests.send(
            request, EndpointRequest("GET", urlsplit(asset["url"]).path), is_anonymous=True
        )
        if status == 200:
            out["b64_json"] = base64.b64encode(content).decode()
    return out


def _caller(request: HttpRequest) -> Agent:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise minting.auth_required()
    return minting.verify(token.strip()).agent


def _document(request: HttpRequest) -> Any:
    try:
        return strict_json.parse(request.body)
    except strict_json.InvalidJson as error:
        raise InvalidArguments(str(error)) from None


def _form_fields(request: HttpRequest) -> dict[str, Any]:
    """Return the fields of a form with the types that JSON would give them."""
    if request.content_type != "multipart/form-data":
        raise InvalidArguments("Send the fields and the image as multipart/form-data.")
    try:
        form = request.POST
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise InvalidArguments("The form can't be read.") from error
    fields: dict[str, Any] = {}
    for name, value in form.items():
        if name in _FILES:
            raise ParameterRefused("image", "Send the image as a file.")
        fields[name] = _typed(name, str(value))
    return fields


def _typed(name: str, value: str) -> Any:
    try:
        if name in _NUMBERS:
            return json.loads(value)
        if name in _FLAGS:
            return {"true": True, "false": False}[value.lower()]
        if name == "model_parameters":
            return strict_json.parse(value.encode())
    except (ValueError, KeyError):
        raise ParameterRefused(name, "This is not a value that it takes.") from None
    return value


def _json(document: dict[str, Any], *, trace_id: str | None = None) -> HttpResponse:
    response = JsonResponse(document)
    response["Cache-Control"] = "no-store"
    if trace_id:
        response[errors.REQUEST_ID_HEADER] = trace_id
    return response


urlpatterns = [
    path("openai/v1/models", list_models),
    path("openai/v1/models/<path:model_id>", show_model),
    path("openai/v1/images/generations", generate, name="openai_generations"),
    path("openai/v1/images/edits", edit, name="openai_edits"),
    # Whatever else the path holds: `path` stops at a line's end.
    re_path(r"^openai/v1(?:/[\s\S]*)?\Z", unknown),
]
