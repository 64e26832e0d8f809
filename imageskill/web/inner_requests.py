"""A request to our own API on behalf of one that came in, without leaving the process.

It goes through the same routes, so authentication, grants, limits and the envelope are those of
the endpoint; address, headers and trace are the caller's.
"""

from functools import cache
from io import BytesIO
from urllib.parse import unquote_to_bytes

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve

from imageskill.cli.grammar.requests import EndpointRequest
from imageskill.lib.envelope import dumps, error_response
from imageskill.lib.errors import NotFound, RateLimited
from imageskill.web import rate_limits
from jobs.api import rate_limited


def build(
    outer: HttpRequest, request: EndpointRequest, *, is_anonymous: bool = False
) -> WSGIRequest:
    """Make the request as if the caller had sent it; `is_anonymous` leaves its token out."""
    path, _, query = request.target.partition("?")
    body = b"" if request.body is None else dumps(request.body).encode()
    environ = {
        **outer.META,
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    if is_anonymous:
        environ.pop("HTTP_AUTHORIZATION", None)
    return WSGIRequest(environ)


def send(
    outer: HttpRequest, request: EndpointRequest, *, is_anonymous: bool = False
) -> tuple[int, bytes]:
    """Return status and content of a request that passes through all middleware, as one that came.

    It has a trace, limits and telemetry of its own.
    """
    response = _handler().get_response(build(outer, request, is_anonymous=is_anonymous))
    try:
        return response.status_code, b"".join(response)
    finally:
        response.close()  # gives this thread's database connection back


@cache
def _handler() -> WSGIHandler:
    return WSGIHandler()


def dispatch(outer: HttpRequest, inner: HttpRequest, *, command: str) -> HttpResponse:
    """Call the endpoint inside the outer request's trace and under this command's name."""
    known = vars(outer)
    vars(inner).update(
        trace_id=known["trace_id"], command=command, warnings=known["warnings"], actor=None
    )
    try:
        match = resolve(inner.path_info)
    except Http404:
        return error_response(inner, NotFound())
    inner.resolver_match = match
    try:
        rate_limits.enforce_within(outer, inner)
    except RateLimited as error:
        rate_limited.add_recovery(error, inner)
        return error_response(inner, error)
    response: HttpResponse = match.func(inner, *match.args, **match.kwargs)
    inner_state = vars(inner)
    rate_limits.count_refusal(inner, inner_state.get("error_code", ""))
    known.update(
        command=command, actor=inner_state["actor"], error_code=inner_state.get("error_code", "")
    )
    return response
