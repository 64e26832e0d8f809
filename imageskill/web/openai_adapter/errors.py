"""Errors as OpenAI's API writes them, with our code and recovery beside."""

from typing import Any

from django.http import JsonResponse
from pydantic import ValidationError

from imageskill.lib import trace
from imageskill.lib.errors import ApiError, Recovery, wait_s
from imageskill.web.openai_adapter.fields import ParameterRefused, parameter_of

# Status, type and code by our code; whatever is not here keeps its status.
_KINDS: dict[str, tuple[int, str, str | None]] = {
    "AUTH_REQUIRED": (401, "invalid_request_error", "invalid_api_key"),
    "CAPABILITY_DENIED": (403, "permission_error", "insufficient_permissions"),
    "QUOTA_EXCEEDED": (429, "insufficient_quota", "insufficient_quota"),
    "DAILY_JOB_LIMIT": (429, "insufficient_quota", "insufficient_quota"),
    "RATE_LIMITED": (429, "rate_limit_error", "rate_limit_exceeded"),
    "CONTENT_POLICY_DENIED": (400, "image_generation_user_error", "content_policy_violation"),
    "INPUT_POLICY_DENIED": (400, "invalid_request_error", "invalid_image"),
    "INVALID_ARGUMENTS": (400, "invalid_request_error", None),
    "MODEL_PARAMETER_INVALID": (400, "invalid_request_error", "invalid_value"),
    "BUDGET_REQUIRES_CONFIRMATION": (400, "invalid_request_error", "cost_not_accepted"),
    "BUDGET_EXCEEDED": (400, "invalid_request_error", "budget_exceeded"),
    "NOT_FOUND": (404, "invalid_request_error", "not_found"),
    "MODEL_UNAVAILABLE": (404, "invalid_request_error", "model_not_found"),
    "IDEMPOTENCY_CONFLICT": (409, "invalid_request_error", "idempotency_conflict"),
}
# OpenAI's libraries obey it; without it they repeat 408, 409, 429 and 5xx.
RETRY_HEADER = "x-should-retry"
_PATIENCE_S = 60  # a limit of the day is nothing to wait for
REQUEST_ID_HEADER = "x-request-id"


def from_envelope(envelope: dict[str, Any], *, status: int) -> JsonResponse:
    """Answer with the error of one of our envelopes, whose HTTP status was `status`."""
    error = envelope["error"]
    details = error.get("details") or []
    param = parameter_of(details[0]["field"]) if details else None
    message = error["message"]
    if details:
        told = "; ".join(f"{parameter_of(part['field'])} {part['message']}" for part in details)
        message = f"{message} ({told})"
    if error["code"] == "BUDGET_REQUIRES_CONFIRMATION":
        message += " Send accept_unknown_cost true beside the other parameters (extra_body)."
    return build(
        error["code"],
        message,
        status=status,
        param=param,
        retryable=error["retryable"],
        recovery=error.get("recovery"),
        trace_id=envelope["trace_id"],
    )


def from_api_error(error: ApiError) -> JsonResponse:
    """Answer with an error that was raised before our API was asked."""
    return build(
        error.code,
        error.text,
        status=error.status,
        retryable=error.retryable,
        recovery=error.recovery,
    )


def from_refusal(refusal: ParameterRefused | ValidationError) -> JsonResponse:
    """Answer to a parameter that is unknown or can't be taken."""
    param, message = _describe(refusal)
    code = "MODEL_UNAVAILABLE" if param == "model" else "INVALID_ARGUMENTS"
    return build(code, message, status=400, param=param)


def build(
    code: str,
    message: str,
    *,
    status: int,
    param: str | None = None,
    retryable: bool = False,
    recovery: Recovery | None = None,
    trace_id: str | None = None,
) -> JsonResponse:
    """Return an error in OpenAI's shape; `image_skill` holds what only we say."""
    trace_id = trace_id or trace.current()
    usual, kind, theirs = _KINDS.get(code, (status, "server_error", code.lower()))
    seconds = wait_s(recovery)
    ours = {"code": code, "retryable": retryable, "recovery": recovery, "trace_id": trace_id}
    error = {"message": message, "type": kind, "param": param, "code": theirs, "image_skill": ours}
    response = JsonResponse({"error": error}, status=413 if status == 413 else usual)
    response[RETRY_HEADER] = "true" if retryable and seconds <= _PATIENCE_S else "false"
    response["Cache-Control"] = "no-store"
    response[REQUEST_ID_HEADER] = trace_id
    if retryable or status == 503:
        response["Retry-After"] = str(seconds)
    return response


def _describe(refusal: ParameterRefused | ValidationError) -> tuple[str, str]:
    if isinstance(refusal, ParameterRefused):
        return refusal.param, str(refusal)
    first = refusal.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "body"
    if first["type"] == "extra_forbidden":
        return name, "Unknown parameter; omit it."
    if first["type"] == "literal_error":
        return name, f"{name} can't be used here; omit it."
    return name, f"{name}: {first['msg']}"
