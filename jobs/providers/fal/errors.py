"""What fal's errors mean: the types of its documentation, by failure class.

fal answers a model's error with `detail` as a list of typed entries (some endpoints: a text), an
error of its own machines with `error_type`, and gateway errors with neither.
"""

from collections.abc import Mapping
from typing import Any

import httpx

from jobs.providers import refusals
from jobs.providers.error_codes import safe_code
from jobs.providers.failures import (
    BROKEN_RUN,
    OPERATOR,
    PERMANENT,
    POLICY,
    TRANSIENT,
    Failure,
    ProviderError,
)
from jobs.providers.http_calls import retry_after_seconds

_BY_TYPE: dict[str, Failure] = {
    "content_policy_violation": POLICY,
    "cancelled": PERMANENT,  # by us
    "downstream_service_error": BROKEN_RUN,
    "downstream_service_unavailable": BROKEN_RUN,
    "internal_server_error": BROKEN_RUN,
    "generation_timeout": BROKEN_RUN,
    "request_timeout": BROKEN_RUN,
    "startup_timeout": BROKEN_RUN,
    "runner_scheduling_failure": BROKEN_RUN,
    "runner_connection_timeout": BROKEN_RUN,
    "runner_disconnected": BROKEN_RUN,
    "runner_connection_refused": BROKEN_RUN,
}
_REFUSAL_BY_TYPE: dict[str, str] = {
    "image_load_error": refusals.IMAGE,
    "unsupported_image_format": refusals.IMAGE,
    "file_download_error": refusals.IMAGE,
    "image_too_small": refusals.IMAGE_SIZE,
    "image_too_large": refusals.IMAGE_SIZE,
    "file_too_large": refusals.IMAGE_BYTES,
    "face_detection_error": refusals.FACE,
    "feature_not_supported": refusals.COMBINATION,
    "no_media_generated": refusals.NOTHING_MADE,
}
_REFUSAL_BY_FIELD: dict[str, str] = {
    "prompt": refusals.PROMPT,
    "image_size": refusals.SIZE,
    "aspect_ratio": refusals.SIZE,
    "resolution": refusals.SIZE,
    "image_url": refusals.IMAGE,
    "image_urls": refusals.IMAGE_COUNT,
    "elements": refusals.IMAGE_COUNT,
}
_BY_STATUS: dict[int, Failure] = {
    401: OPERATOR,
    402: OPERATOR,
    403: OPERATOR,
    404: OPERATOR,  # an endpoint that the registry names and fal does not know
    408: TRANSIENT,
    409: TRANSIENT,
    429: TRANSIENT,
    503: TRANSIENT,
}


def submit_error(answer: httpx.Response) -> ProviderError:
    """Return what a refused submit means; the queue did not take the request."""
    kind = _error_type(answer)
    failure = _BY_TYPE.get(kind) or _failure_for_status(answer.status_code)
    if answer.status_code in {429, 503}:
        failure = TRANSIENT  # whatever its type: nothing was queued
    return ProviderError(
        failure,
        reason=kind or f"http_{answer.status_code}",
        refusal=_refusal(answer, kind) if failure is PERMANENT else "",
        retry_after_s=retry_after_seconds(answer.headers.get("retry-after")),
    )


def run_error(answer: httpx.Response, *, status: Mapping[str, Any]) -> ProviderError | None:
    """Return what a run ended with; None where only the gateway spoke, so ask again.

    `status` is what the queue said of it: it names an error where the run failed, typed or not.
    """
    kind = _error_type(answer) or safe_code(status.get("error_type"))
    if kind in _BY_TYPE:
        return ProviderError(_BY_TYPE[kind], reason=kind)
    if answer.status_code in {400, 422, 499}:
        return ProviderError(
            PERMANENT,
            reason=kind or f"http_{answer.status_code}",
            refusal=_refusal(answer, kind),
        )
    if kind or (status.get("error") and _is_model_error(answer)):
        return ProviderError(BROKEN_RUN, reason=kind or f"http_{answer.status_code}")
    return None


def _is_model_error(answer: httpx.Response) -> bool:
    """Return whether a body is a failed run's own, not a gateway's error."""
    if answer.status_code in {401, 403, 408, 429}:
        return False
    try:
        return isinstance(answer.json(), dict)
    except ValueError:
        return False


def _failure_for_status(status: int) -> Failure:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return BROKEN_RUN if status >= 500 else PERMANENT


def _error_type(answer: httpx.Response) -> str:
    """Find the error's type: the body's, its first entry's, or the header's."""
    try:
        body: Any = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        detail = body.get("detail")
        if isinstance(body.get("error_type"), str):
            return safe_code(body["error_type"])
        if isinstance(detail, list):
            types = [safe_code(one.get("type")) for one in detail if isinstance(one, dict)]
            return "content_policy_violation" if _is_policy(types) else (types or [""])[0]
        if isinstance(detail, str) and "content policy" in detail.lower():
            return "content_policy_violation"
    return safe_code(answer.headers.get("x-fal-error-type"))


def _is_policy(types: list[str]) -> bool:
    return "content_policy_violation" in types


def _refusal(answer: httpx.Response, kind: str) -> str:
    """Return what was not taken: a mask, or what the type or the field's name says."""
    field = _field(answer)
    if "mask" in field:
        return refusals.MASK
    by_type = _REFUSAL_BY_TYPE.get(kind) or _REFUSAL_BY_FIELD.get(field)
    return by_type or (refusals.PARAMETER if field else refusals.REQUEST)


def _field(answer: httpx.Response) -> str:
    """Return the name of the field that the first entry is about; empty where none is named."""
    try:
        body: Any = answer.json()
    except ValueError:
        return ""
    detail = body.get("detail") if isinstance(body, dict) else None
    first = detail[0] if isinstance(detail, list) and detail else None
    place = first.get("loc") if isinstance(first, dict) else None
    if not isinstance(place, list) or len(place) < 2 or place[0] != "body":
        return ""
    return safe_code(place[1])
