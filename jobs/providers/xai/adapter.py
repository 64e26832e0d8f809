"""xAI's images: JSON both ways, images as base64, the exact charge in ticks.

https://docs.x.ai/docs/api-reference
"""

import json
from decimal import Decimal
from typing import Any, ClassVar

import httpx
from django.conf import settings

from jobs.providers import base64_answers, fetching, http_calls, request_bodies
from jobs.providers.base64_answers import ExtractedResponse
from jobs.providers.data_uris import JsonBody, json_body
from jobs.providers.error_codes import safe_code
from jobs.providers.failures import (
    BROKEN_RUN,
    OPERATOR,
    OUTCOME_UNKNOWN,
    PERMANENT,
    POLICY,
    TRANSIENT,
    Failure,
    ProviderError,
)
from jobs.providers.interface import (
    Cancellation,
    InputImage,
    Output,
    ProviderRequest,
    ProviderResult,
    Submission,
)
from jobs.providers.xai import VENDOR

TICKS_PER_DOLLAR = Decimal(10**10)

_BY_STATUS: dict[int, Failure] = {
    401: OPERATOR,
    402: OPERATOR,
    403: OPERATOR,
    404: OPERATOR,
    408: TRANSIENT,
    429: TRANSIENT,
    503: TRANSIENT,
}


class XAIProvider:
    """The adapter for xAI, which answers in the call itself."""

    name: ClassVar[str] = "xai"

    def __init__(self) -> None:
        self._client = http_calls.client()

    def submit(self, request: ProviderRequest) -> Submission | ProviderResult:
        """Make the images: the call lasts as long as they take."""
        body = json_body(
            request_bodies.text_fields(request)
            | _image_sources(request_bodies.image_fields(request))
        )
        return http_calls.call_until_accepted(
            lambda: self._send(request, body), deadline=request.deadline
        )

    def poll(self, submission: Submission, request: ProviderRequest) -> ProviderResult | None:
        """Raise: there is nothing to collect, as `submit` returns the result."""
        raise ProviderError(OUTCOME_UNKNOWN, reason="nothing_to_collect")

    def cancel(self, submission: Submission) -> Cancellation:
        """Return that a run can't be stopped here."""
        return "unsupported"

    def _send(self, request: ProviderRequest, body: JsonBody) -> ProviderResult:
        headers = {
            "Authorization": f"Bearer {VENDOR.key}",
            "Content-Type": "application/json",
            "Content-Length": str(body.content_length),
        }
        left_s = http_calls.seconds_left(request.deadline, at_most=settings.XAI_TIMEOUT_S)
        try:
            with self._client.stream(
                "POST",
                f"{settings.XAI_BASE_URL}/{request.model.call.endpoint}",
                content=body,
                headers=headers,
                timeout=http_calls.timeout(left_s),
            ) as answer:
                if not answer.is_success:
                    raise _provider_error(answer)
                extracted = base64_answers.extract_images(
                    http_calls.until_deadline(answer.iter_bytes(), deadline=request.deadline),
                    image_bytes=settings.OUTPUT_BYTES,
                )
        except httpx.TransportError as error:
            raise http_calls.disconnect_error(error) from error
        return self._result(extracted, request, request_id=answer.headers.get("x-request-id"))

    def _result(
        self, extracted: ExtractedResponse, request: ProviderRequest, *, request_id: str | None
    ) -> ProviderResult:
        body = extracted.document if isinstance(extracted.document, dict) else {}
        cost_usd = _cost_usd(body)
        made = [one for one in body.get("data") or () if isinstance(one, dict)]
        if any(one.get("respect_moderation") is False for one in made):
            raise ProviderError(POLICY, reason="respect_moderation", cost_usd=cost_usd)
        if len(made) < request.output_count:
            raise ProviderError(BROKEN_RUN, reason="outputs_missing", cost_usd=cost_usd)
        try:
            outputs = [self._output(one, extracted) for one in made[: request.output_count]]
        except ProviderError as error:
            raise ProviderError(BROKEN_RUN, reason=error.reason, cost_usd=cost_usd) from error
        usage = body.get("usage")
        return ProviderResult(
            outputs=tuple(outputs),
            cost_usd=cost_usd,
            usage=usage if isinstance(usage, dict) else {},
            request_id=request_id,
        )

    def _output(self, one: dict[str, Any], extracted: ExtractedResponse) -> Output:
        """Take an image out of the answer or, where it is only linked, from xAI's hosts."""
        image = extracted.image(one)
        if image is not None:
            return fetching.make_output(image)
        origins = fetching.Origins(settings.XAI_BASE_URL, settings.XAI_OUTPUT_HOSTS)
        return fetching.fetch(self._client, one.get("url") or "", origins=origins)


def _image_sources(images: dict[str, Any]) -> dict[str, Any]:
    """Write images as xAI takes them: `{"url": …}`, one or a list."""

    def source(value: Any) -> Any:
        return {"url": value} if isinstance(value, InputImage) else [source(one) for one in value]

    return {name: source(value) for name, value in images.items()}


def _cost_usd(body: dict[str, Any]) -> Decimal | None:
    usage = body.get("usage")
    ticks = usage.get("cost_in_usd_ticks") if isinstance(usage, dict) else None
    return Decimal(ticks) / TICKS_PER_DOLLAR if isinstance(ticks, int) else None


def _provider_error(answer: httpx.Response) -> ProviderError:
    """Return what an error answer means. What moderation blocked may be billed all the same."""
    body = _error_body(answer)
    code, text = _code_and_text(body)
    cost_usd = _cost_usd(body)
    if "moderat" in code or "content moderation" in text:
        return ProviderError(POLICY, reason="content_moderated", cost_usd=cost_usd)
    status = answer.status_code
    failure = _BY_STATUS.get(status) or (BROKEN_RUN if status >= 500 else PERMANENT)
    return ProviderError(
        failure,
        reason=safe_code(code) or f"http_{status}",
        cost_usd=cost_usd,
        retry_after_s=http_calls.retry_after_seconds(answer.headers.get("retry-after")),
    )


def _error_body(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(
            http_calls.read_prefix(answer.iter_bytes(), at_most=http_calls.MAX_ERROR_BYTES)
        )
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _code_and_text(body: dict[str, Any]) -> tuple[str, str]:
    """Read `{code, error: text}`, or the older `{error: {code, message}}`, in lower case."""
    error = body.get("error")
    if isinstance(error, dict):
        return str(error.get("code") or "").lower(), str(error.get("message") or "").lower()
    return str(body.get("code") or "").lower(), str(error or "").lower()
