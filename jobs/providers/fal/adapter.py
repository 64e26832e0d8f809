"""fal's queue: submit, follow the URLs that it returned, fetch the images.

https://docs.fal.ai/model-endpoints/queue
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import httpx
import structlog
from django.conf import settings

from imageskill.lib import clock
from jobs.providers import batches, fetching, http_calls, request_bodies
from jobs.providers.data_uris import JsonBody, json_body
from jobs.providers.failures import (
    BROKEN_RUN,
    OUTCOME_UNKNOWN,
    POLICY,
    TRANSIENT,
    ProviderError,
)
from jobs.providers.fal import VENDOR, errors
from jobs.providers.interface import (
    Cancellation,
    MissingReason,
    ProviderRequest,
    ProviderResult,
    Submission,
)

log = structlog.get_logger(__name__)

_HEADERS = ("retry-after", "x-fal-error-type")
_URLS = ("status_url", "response_url", "cancel_url")
_CANCELLATIONS: dict[str, Cancellation] = {
    "OK": "canceled",
    "CANCELLATION_REQUESTED": "requested",
    "ALREADY_COMPLETED": "too_late",
    "NOT_FOUND": "too_late",
}


class FalProvider:
    """The adapter for fal."""

    name: ClassVar[str] = "fal"

    def __init__(self) -> None:
        self._client = http_calls.client()

    def submit(self, request: ProviderRequest) -> Submission | ProviderResult:
        """Queue the request; fal answers with its id and with where to ask for it."""
        body = json_body(request_bodies.text_fields(request) | request_bodies.image_fields(request))
        return http_calls.call_until_accepted(
            lambda: self._submit_once(request, body), deadline=request.deadline
        )

    def poll(self, submission: Submission, request: ProviderRequest) -> ProviderResult | None:
        """Fetch the status and, once it is over, the result.

        Failed requests end as COMPLETED too: their error comes with the result.
        """
        status = self._request("GET", _checked_url(submission, "status_url"))
        body = _parse_json(status)
        if not isinstance(body, dict) or "status" not in body:
            raise _gateway_error(status)
        if body["status"] != "COMPLETED":
            return None
        result = self._request("GET", _checked_url(submission, "response_url"))
        if result.status_code != 200:
            raise errors.run_error(result, status=body) or _gateway_error(result)
        try:
            return self._result(_parse_json(result), submission, request)
        except ProviderError as error:
            error.is_billed = True  # fal bills what it completed
            raise

    def cancel(self, submission: Submission) -> Cancellation:
        """Cancel the request, queued or running."""
        answer = self._request("PUT", _checked_url(submission, "cancel_url"))
        body = _parse_json(answer)
        status = body.get("status") if isinstance(body, dict) else None
        if status not in _CANCELLATIONS:
            raise _gateway_error(answer)
        return _CANCELLATIONS[status]

    def _submit_once(self, request: ProviderRequest, body: JsonBody) -> Submission:
        left_s = (request.deadline - clock.now()).total_seconds()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(body.content_length),
            "X-Fal-Request-Timeout": str(max(1, int(left_s))),  # not begun later than that
        }
        at_most_s = http_calls.seconds_left(request.deadline, at_most=settings.FAL_TIMEOUT_S)
        try:
            answer = self._send(
                "POST",
                f"{settings.FAL_QUEUE_BASE_URL}/{request.model.call.endpoint}",
                content=body,
                headers=headers,
                timeout_s=at_most_s,
            )
        except httpx.TransportError as error:
            raise http_calls.disconnect_error(error) from error
        if not answer.is_success:
            raise errors.submit_error(answer)
        return _parse_submission(_parse_json(answer))

    def _request(self, method: str, url: httpx.URL) -> httpx.Response:
        """Query a run; a failed query leaves the run as it is."""
        try:
            return self._send(method, url, timeout_s=settings.FAL_TIMEOUT_S)
        except httpx.TransportError as error:
            raise ProviderError(TRANSIENT, reason="unreachable") from error

    def _send(
        self,
        method: str,
        url: httpx.URL | str,
        *,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        content: JsonBody | None = None,
    ) -> httpx.Response:
        """Call fal and read its JSON, as far as an answer without images may reach."""
        with self._client.stream(
            method,
            url,
            content=content,
            headers=_authorization() | dict(headers or {}),
            timeout=http_calls.timeout(timeout_s),
        ) as answer:
            read = http_calls.read_prefix(
                answer.iter_bytes(), at_most=http_calls.MAX_RESPONSE_BYTES
            )
        kept = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
        return httpx.Response(answer.status_code, headers=kept, content=read)

    def _result(
        self, result: Any, submission: Submission, request: ProviderRequest
    ) -> ProviderResult:
        if not isinstance(result, dict):
            raise ProviderError(BROKEN_RUN, reason="answer_not_json")
        made = result.get(request.model.call.output_field)
        entries = made if isinstance(made, list) else []
        flags = list(result.get("has_nsfw_concepts") or ())
        if any(flags) and len(flags) != len(entries):  # which of them is not told
            raise ProviderError(POLICY, reason="has_nsfw_concepts")
        flags += [False] * (len(entries) - len(flags))
        outputs, missing = batches.collect(
            [self._maker(entry, flag) for entry, flag in zip(entries, flags, strict=True)],
            request,
            is_final=http_calls.is_last_moment(request.deadline),
        )
        return ProviderResult(outputs=outputs, missing=missing, request_id=submission.request_id)

    def _maker(self, entry: Any, is_flagged: Any) -> batches.Maker | MissingReason:
        """Return how to fetch an image; an entry without an address tells of an error."""
        url = entry.get("url") if isinstance(entry, dict) else None
        if is_flagged:
            return "policy"
        if not isinstance(url, str) or not url:
            return "not_made"
        origins = fetching.Origins(settings.FAL_QUEUE_BASE_URL, settings.FAL_OUTPUT_HOSTS)
        return partial(fetching.fetch, self._client, url, origins=origins)


def _authorization() -> dict[str, str]:
    return {"Authorization": f"Key {VENDOR.key}"}


def _parse_submission(body: Any) -> Submission:
    """Read the answer to a submit; without an id nobody can ask for the run again."""
    request_id = body.get("request_id") if isinstance(body, dict) else None
    if not isinstance(request_id, str) or not request_id:
        raise ProviderError(OUTCOME_UNKNOWN, reason="no_request_id")
    return Submission(request_id=request_id, state={name: body.get(name) for name in _URLS})


def _checked_url(submission: Submission, name: str) -> httpx.URL:
    """Return a URL that fal returned; the key goes to no other origin than fal's."""
    try:
        url = httpx.URL(str(submission.state.get(name)))
    except httpx.InvalidURL as error:
        raise ProviderError(BROKEN_RUN, reason="foreign_url") from error
    if not fetching.same_origin(url, httpx.URL(settings.FAL_QUEUE_BASE_URL)):
        raise ProviderError(BROKEN_RUN, reason="foreign_url")
    return url


def _parse_json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _gateway_error(answer: httpx.Response) -> ProviderError:
    """Return that fal could not be asked just now; the run goes on as it was."""
    return ProviderError(
        TRANSIENT,
        reason=f"http_{answer.status_code}",
        retry_after_s=http_calls.retry_after_seconds(answer.headers.get("retry-after")),
    )
