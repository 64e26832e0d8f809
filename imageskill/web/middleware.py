"""Middleware of all requests: limits of bodies; for the API trace, envelope, telemetry."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts import telemetry
from imageskill.cli.telemetry import HEADER as TELEMETRY_HEADER
from imageskill.lib import trace, urls
from imageskill.lib.envelope import EXIT_CODE_HEADER, TRACE_HEADER, error_response
from imageskill.lib.errors import (
    ApiError,
    InternalError,
    InvalidArguments,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    ServiceUnavailable,
    Timeout,
)
from imageskill.web import health, rate_limits, request_bodies
from imageskill.web.api import commands_by_route
from imageskill.web.openai_adapter import errors as openai_errors
from jobs.api import rate_limited

_INVALID_REQUEST = -32600  # JSON-RPC's code

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_PAGES = {413: "413.html"}
_MEDIA_PATHS = ("/a/", "/t/", *health.PROBES)

_FRAMEWORK_ERRORS: dict[int, type[ApiError]] = {
    400: InvalidArguments,
    404: NotFound,
    405: MethodNotAllowed,
    413: PayloadTooLarge,
    503: ServiceUnavailable,
}


def _is_api(path: str) -> bool:
    return path in {"/healthz", "/v1"} or path.startswith("/v1/")


class ApiMiddleware:
    """Adds a trace, a command name and telemetry to API requests, and an envelope to answers."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        trace_id = trace.begin()
        if request.path in health.ASKED_BY_ADDRESS:
            request.META["HTTP_HOST"] = urls.host_of(settings.PUBLIC_API_URL)
        if not _is_api(request.path):
            return self.get_response(request)
        started = time.perf_counter()
        _prepare(request, trace_id)
        response = self._answer(request)
        try:
            rate_limits.enforce_late(request)
        except RateLimited as error:
            response = error_response(request, error)
        rate_limits.count_refusal(request, vars(request).get("error_code", ""))
        response[TRACE_HEADER] = trace_id
        response.setdefault(EXIT_CODE_HEADER, "0")
        response.setdefault("Cache-Control", "no-store")
        _record(request, response, duration_s=time.perf_counter() - started)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if "\x00" in request.path:
            return error_response(request, NotFound())
        response = self.get_response(request)
        if response.status_code >= 400 and EXIT_CODE_HEADER not in response:
            error = _FRAMEWORK_ERRORS.get(response.status_code, InternalError)
            allowed = response.get("Allow")
            response = error_response(request, error())
            if allowed:
                response["Allow"] = allowed
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Name the command once the route is known, and count the request in its limits."""
        match = request.resolver_match
        if match is None or not hasattr(request, "command"):
            return None
        table = _commands()
        route = match.route
        request.command = table.get((request.method or "", route)) or table.get(
            ("*", route), "image-skill"
        )
        try:
            rate_limits.enforce(request)
        except RateLimited as error:
            rate_limited.add_recovery(error, request)
            return error_response(request, error)
        return None


class MediaOriginMiddleware:
    """Serves images and health checks alone on the media origin, if that is one of its own.

    Whatever an image does there can't reach a session or a page of ours.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._host = urls.host_of(settings.PUBLIC_MEDIA_URL)
        others = (settings.PUBLIC_SITE_URL, settings.PUBLIC_API_URL)
        if self._host in map(urls.host_of, others):
            raise MiddlewareNotUsed

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        host = request.META.get("HTTP_HOST", "").lower().partition(":")[0].removesuffix(".")
        if host == self._host and not request.path.startswith(_MEDIA_PATHS):
            return HttpResponse("Not found.\n", status=404, content_type="text/plain")
        return self.get_response(request)


class PersonalPagesMiddleware:
    """Keeps pages that depend on a session out of every cache, the browser's included."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        response = self.get_response(request)
        session = getattr(request, "session", None)
        if session is not None and session.accessed:
            response.setdefault("Cache-Control", "private, no-store")
        return response


class BodyLimitMiddleware:
    """Refuses bodies larger than the endpoint takes, before anything reads them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """Refuse before CSRF protection, authentication or the view reads the body."""
        limit = request_bodies.limit_bytes(request.path_info)
        reason = request.META.get(request_bodies.NOT_READ)
        if reason:
            return _refuse(request, _NOT_READ[reason]())
        if int(request.META.get("CONTENT_LENGTH") or 0) <= limit:
            return None
        return _refuse(
            request, PayloadTooLarge(f"The request body may have at most {limit} bytes.")
        )


class _TooManyBodies(ServiceUnavailable):
    """There is no place to read one more body."""

    message = "Too many request bodies are arriving at once; nothing was done."

    def __init__(self) -> None:
        super().__init__(recovery={"retry_after_seconds": 2})


class _SlowBody(Timeout):
    """The body arrived too slowly; its caller's fault, hence 408."""

    status = 408
    message = "The request body did not arrive in time; nothing was done."


_NOT_READ: dict[str, type[ApiError]] = {
    request_bodies.BUSY: _TooManyBodies,
    request_bodies.SLOW: _SlowBody,
}


def _refuse(request: HttpRequest, error: ApiError) -> HttpResponse:
    """Answer in the form that callers of this address read."""
    if _is_api(request.path):
        return error_response(request, error)
    if request.path in {"/mcp", "/mcp/"}:
        told = {"code": _INVALID_REQUEST, "message": error.text}
        answer = {"jsonrpc": "2.0", "id": None, "error": told}
        return JsonResponse(answer, status=error.status)
    if request.path.startswith("/openai/"):
        return openai_errors.from_api_error(error)
    if request.path.startswith("/webhooks/"):
        return JsonResponse({"error": error.text}, status=error.status)
    return render(request, _PAGES.get(error.status, "503.html"), status=error.status)


@cache
def _commands() -> dict[tuple[str, str], str]:
    return commands_by_route()


def _prepare(request: HttpRequest, trace_id: str) -> None:
    # Extra attributes as `imageskill.lib.http.ApiRequest` describes them.
    vars(request).update(
        trace_id=trace_id,
        command="image-skill",
        warnings=list(settings.STANDING_WARNINGS),
        actor=None,
    )


def _record(request: HttpRequest, response: HttpResponseBase, *, duration_s: float) -> None:
    if settings.DEVELOPMENT and request.headers.get(TELEMETRY_HEADER) == "off":
        return  # the documented test mode; in production callers can't switch it off
    known = vars(request)
    actor = known.get("actor") or {}
    telemetry.record(
        kind="request",
        name=known["command"],
        endpoint=getattr(request.resolver_match, "route", ""),
        client=request.headers.get("User-Agent", ""),
        actor_type=actor.get("actor_type", "anonymous"),
        actor_id=actor.get("actor_id"),
        http_status=response.status_code,
        exit_code=int(response[EXIT_CODE_HEADER]),
        error_code=known.get("error_code", ""),
        duration_ms=round(duration_s * 1000, 1),
        trace_id=known["trace_id"],
    )
