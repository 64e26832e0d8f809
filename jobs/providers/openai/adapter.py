"""OpenAI's images: generations as JSON, edits as multipart, billed by the tokens it reports.

https://platform.openai.com/docs/api-reference/images
"""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, ClassVar

import httpx2
import openai
from django.conf import settings

from jobs.providers import base64_answers, batches, fetching, http_calls, refusals, request_bodies
from jobs.providers.base64_answers import ExtractedResponse
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
from jobs.providers.openai import VENDOR

MILLION = 1_000_000

_BY_CODE: dict[str, Failure] = {
    "moderation_blocked": POLICY,
    "content_policy_violation": POLICY,
    "insufficient_quota": OPERATOR,
    "billing_hard_limit_reached": OPERATOR,
    "billing_not_active": OPERATOR,
    "invalid_api_key": OPERATOR,
    "model_not_found": OPERATOR,
}
_BY_STATUS: dict[int, Failure] = {
    401: OPERATOR,
    403: OPERATOR,
    404: OPERATOR,
    408: TRANSIENT,
    409: TRANSIENT,
    429: TRANSIENT,
    503: TRANSIENT,
}


_REFUSAL_BY_PARAMETER: dict[str, str] = {
    "image": refusals.IMAGE,
    "mask": refusals.MASK,
    "size": refusals.SIZE,
    "prompt": refusals.PROMPT,
}
_REFUSAL_BY_CODE: dict[str, str] = {
    "invalid_image_file": refusals.IMAGE,
    "invalid_image": refusals.IMAGE,
    "invalid_image_format": refusals.IMAGE,
    "unsupported_image_format": refusals.IMAGE,
    "unsupported_file_mimetype": refusals.IMAGE,
    "image_parse_error": refusals.IMAGE,
    "empty_image_file": refusals.IMAGE,
    "image_too_large": refusals.IMAGE_BYTES,
    "file_too_large": refusals.IMAGE_BYTES,
    "image_too_small": refusals.IMAGE_SIZE,
    "invalid_mask": refusals.MASK,
    "invalid_size": refusals.SIZE,
    "string_above_max_length": refusals.PROMPT,
    "invalid_input_fidelity_model": refusals.PARAMETER,
    "unknown_parameter": refusals.PARAMETER,
    "unsupported_parameter": refusals.PARAMETER,
    "invalid_value": refusals.PARAMETER,
    "invalid_type": refusals.PARAMETER,
}


class OpenAIProvider:
    """The adapter for OpenAI, which answers in the call itself."""

    name: ClassVar[str] = "openai"

    def submit(self, request: ProviderRequest) -> Submission | ProviderResult:
        """Make the images: the call lasts as long as they take."""
        return http_calls.call_until_accepted(
            lambda: self._send(request), deadline=request.deadline
        )

    def poll(self, submission: Submission, request: ProviderRequest) -> ProviderResult | None:
        """Raise: there is nothing to collect, as `submit` returns the result."""
        raise ProviderError(OUTCOME_UNKNOWN, reason="nothing_to_collect")

    def cancel(self, submission: Submission) -> Cancellation:
        """Return that a run can't be stopped here."""
        return "unsupported"

    def _send(self, request: ProviderRequest) -> ProviderResult:
        try:
            with ExitStack() as opened:
                answer = opened.enter_context(_call(request, opened))
                extracted = base64_answers.extract_images(
                    http_calls.until_deadline(answer.iter_bytes(), deadline=request.deadline),
                    image_bytes=settings.OUTPUT_BYTES,
                )
                return _result(extracted, request, request_id=answer.headers.get("x-request-id"))
        except openai.APIStatusError as error:
            raise _provider_error(error) from error
        except openai.APIConnectionError as error:
            raise http_calls.disconnect_error(error.__cause__ or error) from error
        except (openai.OpenAIError, httpx2.TransportError) as error:
            raise http_calls.disconnect_error(error) from error


@lru_cache
def _client(base_url: str, key: str) -> openai.OpenAI:
    """Open a client that never repeats a paid call by itself."""
    http_client = openai.DefaultHttpxClient(follow_redirects=False)
    return openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, http_client=http_client)


def _call(request: ProviderRequest, opened: ExitStack) -> AbstractContextManager[Any]:
    """Begin the call: images go out as files of a form, in small pieces.

    Several inputs are a list, which the SDK repeats as `image[]`; a mask goes with the first.
    What the SDK's methods have no argument for goes into the body all the same.
    """
    client = _client(settings.OPENAI_BASE_URL, VENDOR.key)
    body = request_bodies.text_fields(request)
    images = client.images.with_streaming_response
    left_s = http_calls.seconds_left(request.deadline, at_most=settings.OPENAI_TIMEOUT_S)
    known: dict[str, Any] = {
        "model": body.pop("model"),
        "prompt": body.pop("prompt"),
        "extra_body": body,
        "timeout": openai.Timeout(left_s, connect=settings.PROVIDER_CONNECT_TIMEOUT_S),
    }
    if request.operation != "image.edit":
        return images.generate(**known)
    sent = {
        name: _open_files(value, opened)
        for name, value in request_bodies.image_fields(request).items()
    }
    return images.edit(**known, **sent)


def _open_files(images: InputImage | list[InputImage], opened: ExitStack) -> Any:
    """Open images as the SDK takes files: name, file, type."""
    if isinstance(images, list):
        return [_open_files(image, opened) for image in images]
    name = f"{images.role}.{images.mime_type.partition('/')[2]}"
    return name, images.open_in(opened), images.mime_type


def _result(
    extracted: ExtractedResponse, request: ProviderRequest, *, request_id: str | None
) -> ProviderResult:
    body = extracted.document if isinstance(extracted.document, dict) else {}
    usage = _parse_usage(body.get("usage"))
    cost_usd = _cost_usd(usage, request.token_rates_usd) if usage else None
    outputs, missing = batches.collect(
        [_maker(extracted, entry) for entry in body.get("data") or ()],
        request,
        is_final=True,
        cost_usd=cost_usd,
    )
    return ProviderResult(
        outputs=outputs, missing=missing, cost_usd=cost_usd, usage=usage, request_id=request_id
    )


def _maker(extracted: ExtractedResponse, entry: Any) -> batches.Maker | MissingReason:
    image = extracted.image(entry)
    return "not_made" if image is None else partial(fetching.make_output, image)


def _parse_usage(body: Any) -> dict[str, int]:
    """Count tokens by the names of the row's rates; one report covers all outputs.

    Where no details tell text from images, what went in counts as text and what came out as
    images.
    """
    if not isinstance(body, Mapping):
        return {}
    went_in = body.get("input_tokens_details") or {"text_tokens": body.get("input_tokens")}
    came_out = body.get("output_tokens_details") or {"image_tokens": body.get("output_tokens")}
    counts = {
        "text_in": went_in.get("text_tokens"),
        "image_in": went_in.get("image_tokens"),
        "text_out": came_out.get("text_tokens"),
        "image_out": came_out.get("image_tokens"),
    }
    return {name: count for name, count in counts.items() if isinstance(count, int) and count >= 0}


def _cost_usd(usage: Mapping[str, int], rates_usd: Mapping[str, Decimal]) -> Decimal | None:
    """Price the tokens; output text costs as much as images do where it has no rate."""
    if not rates_usd:
        return None
    rates = {"text_out": rates_usd.get("image_out", Decimal(0)), **rates_usd}
    return sum((count * rates[name] for name, count in usage.items()), Decimal(0)) / MILLION


def _provider_error(error: openai.APIStatusError) -> ProviderError:
    """Return what an error answer means, by its code where it has a known one."""
    body = error.body if isinstance(error.body, dict) else {}
    code = safe_code(body.get("code"))
    status = error.status_code
    failure = _BY_CODE.get(code) or _BY_STATUS.get(status)
    if failure is None:
        failure = BROKEN_RUN if status >= 500 else PERMANENT
    text = str(body.get("message") or "")
    if failure is PERMANENT and text.startswith("Your request was rejected by the safety system"):
        failure = POLICY
    return ProviderError(
        failure,
        reason=code or f"http_{status}",
        retry_after_s=http_calls.retry_after_seconds(error.response.headers.get("retry-after")),
        refusal=_refusal(code, body.get("param")) if failure is PERMANENT else "",
    )


def _refusal(code: str, parameter: object) -> str:
    """Return what was not taken: by the code, else by the parameter that the error names."""
    name = re.split(r"[\[.]", parameter)[0] if isinstance(parameter, str) else ""
    if name in _REFUSAL_BY_PARAMETER:
        return _REFUSAL_BY_PARAMETER[name]
    if code in _REFUSAL_BY_CODE:
        return _REFUSAL_BY_CODE[code]
    return refusals.PARAMETER if name else refusals.REQUEST
