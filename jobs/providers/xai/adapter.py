"""xAI's images: JSON both ways, images as base64, the exact charge in ticks.

https://docs.x.ai/docs/api-reference
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

import httpx
from django.conf import settings

from jobs.providers import base64_answers, batches, fetching, http_calls, refusals, request_bodies
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
    MissingReason,
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


_REFUSAL_BY_WORD: Mapping[str, str] = {
    r"mask": refusals.MASK,
    r"aspect.?ratio|resolution|\bsize\b": refusals.SIZE,
    r"at most \d+ .*images|too many images": refusals.IMAGE_COUNT,
    r"image.* too large|exceeds .*(mib|mb|bytes)": refusals.IMAGE_BYTES,
    r"image": refusals.IMAGE,
    r"prompt": refusals.PROMPT,
    r"argument not supported": refusals.PARAMETER,
}
"""What xAI's texts speak of, first match first: its codes tell one invalid argument from none."""


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
        entries = body.get("data")
        outputs, missing = batches.collect(
            [self._maker(one, extracted) for one in entries or () if isinstance(entries, list)],
            request,
            is_final=True,
            cost_usd=cost_usd,
        )
        usage = body.get("usage")
        return ProviderResult(
            outputs=outputs,
            missing=missing,
            cost_usd=cost_usd,
            usage=usage if isinstance(usage, dict) else {},
            request_id=request_id,
        )

    def _maker(self, one: Any, extracted: ExtractedResponse) -> batches.Maker | MissingReason:
        """Return how to take an image out of the answer or, where it is only linked, to fetch it.

        An entry with neither tells of an error.
        """
        entry = one if isinstance(one, dict) else {}
        if entry.get("respect_moderation") is False:
            return "policy"
        image = extracted.image(entry)
        if image is not None:
            return partial(fetching.make_output, image)
        url = entry.get("url")
        if not isinstance(url, str) or not url:
            return "not_made"
        origins = fetching.Origins(settings.XAI_BASE_URL, settings.XAI_OUTPUT_HOSTS)
        return partial(fetching.fetch, self._client, url, origins=origins)


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
        refusal=_refusal(text) if failure is PERMANENT else "",
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


def _refusal(text: str) -> str:
    """Return what was not taken, by the words of the error; the text itself goes no further."""
    lowered = text.lower()
    words = (name for word, name in _REFUSAL_BY_WORD.items() if re.search(word, lowered))
    return next(words, refusals.REQUEST)
