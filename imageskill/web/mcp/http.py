"""`/mcp`: streamable HTTP without sessions, answered by this process.

The MCP library speaks ASGI. One event loop in a thread of its own runs it; each tool call is a
`POST /v1/cli` through the whole chain of middleware, with the caller's address and token. An
answer is JSON, or a stream of events for a call that asks for progress.
"""

import asyncio
import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from typing import Any, cast
from urllib.parse import urlsplit

from a2wsgi import ASGIMiddleware
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request as AsgiRequest

from accounts.tokens import minting
from imageskill.cli.grammar.requests import EndpointRequest
from imageskill.lib.errors import ApiError, RateLimited, wait_s
from imageskill.lib.postgresql import strict_json
from imageskill.web import inner_requests, rate_limits
from imageskill.web.mcp import discovery, server, tools
from jobs.images import formats

_FETCH_ATTEMPTS = 6
_FETCH_PAUSE_S = 0.5
_PARSE_ERROR = -32700
_UNAUTHORIZED = -32001  # JSON-RPC leaves this range to servers
_TOO_MANY = -32029
_CALLS = "imageskill.calls"  # in the environment of a message


class InProcessBackend:
    """Runs tools by requests to our own API."""

    runs_locally = False

    def call(self, name: str, arguments: tools.JsonObject, context: AsgiRequest) -> dict[str, Any]:
        """Run a tool as `/v1/cli` does; an upload carries its image."""
        if name == tools.UPLOAD_TOOL.name:
            return _envelope(
                context, EndpointRequest("POST", "/v1/upload", _image_facts(arguments))
            )
        words = tools.command_line(name, arguments, runs_locally=False)
        return _envelope(context, EndpointRequest("POST", "/v1/cli", {"argv": words}))

    def models(self, context: AsgiRequest) -> Sequence[tools.JsonObject]:
        """Return the catalog as everybody sees it."""
        envelope = _envelope(context, EndpointRequest("GET", "/v1/models"), is_anonymous=True)
        rows: list[tools.JsonObject] = (envelope["data"] or {}).get("models", [])
        return rows

    def fetch(self, url: str, context: AsgiRequest) -> bytes | None:
        """Read an image as its public address gives it; a new thumbnail may take a moment."""
        for _ in range(_FETCH_ATTEMPTS):
            status, content = _dispatch(
                context, EndpointRequest("GET", urlsplit(url).path), is_anonymous=True
            )
            if status == 200:
                return content
            time.sleep(_FETCH_PAUSE_S)
        return None


def _image_facts(arguments: tools.JsonObject) -> dict[str, Any]:
    """Return the body of an upload; the endpoint refuses what is not base64."""
    text = str(arguments.get("bytes_base64", ""))
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    kind = formats.sniff(data[: formats.MAX_HEADER_BYTES])
    return {
        "source_kind": "local_path",
        "filename": str(arguments.get("filename") or "image"),
        "remote_origin": None,
        "mime_type": kind.mime_type if kind else "application/octet-stream",
        "content_length": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes_base64": text,
    }


def _envelope(
    context: AsgiRequest, request: EndpointRequest, *, is_anonymous: bool = False
) -> dict[str, Any]:
    _, content = _dispatch(context, request, is_anonymous=is_anonymous)
    envelope: dict[str, Any] = json.loads(content)
    return envelope


def _dispatch(
    context: AsgiRequest, request: EndpointRequest, *, is_anonymous: bool = False
) -> tuple[int, bytes]:
    environ = context.scope["wsgi_environ"]
    environ[_CALLS].append(request.target)
    return inner_requests.send(WSGIRequest(environ), request, is_anonymous=is_anonymous)


class _EventLoopThread:
    """The event loop that serves MCP, started with the first request of a process."""

    def __init__(self) -> None:
        built = server.build(InProcessBackend())
        self.managers = {streams: _manager(built, streams=streams) for streams in (False, True)}
        self.loop = asyncio.new_event_loop()
        self.is_ready = threading.Event()
        threading.Thread(target=self._run, name="mcp", daemon=True).start()
        self.is_ready.wait()
        # The two libraries describe the same protocol by types of their own.
        self.wsgi: dict[bool, Any] = {
            streams: ASGIMiddleware(cast("Any", manager.handle_request), loop=self.loop)
            for streams, manager in self.managers.items()
        }

    def _run(self) -> None:
        self.loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        async with self.managers[False].run(), self.managers[True].run():
            self.is_ready.set()
            await asyncio.Event().wait()


def _manager(built: Server[Any], *, streams: bool) -> StreamableHTTPSessionManager:
    return StreamableHTTPSessionManager(
        built,
        json_response=not streams,
        stateless=True,
        max_request_body_size=settings.MCP_BODY_BYTES,
    )


_start_lock = threading.Lock()


@cache
def _get_loop() -> _EventLoopThread:
    return _EventLoopThread()


@require_POST  # without sessions there is no stream to open and nothing to end
@csrf_exempt  # callers carry a bearer token, never a cookie
def endpoint(request: HttpRequest) -> HttpResponseBase:
    """Answer one MCP message; a token that is present and wrong is 401."""
    message, problem = _read_message(request)
    refusal = _refuse_too_many(request, message) or _refuse_wrong_token(request)
    if refusal is None and problem:
        refusal = _error_response(400, _PARSE_ERROR, problem)
    if refusal is not None:
        return _refuse_uncounted(request) or refusal
    with _start_lock:
        loop = _get_loop()
    started: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        started.update(status=int(status.split(maxsplit=1)[0]), headers=headers)

    streams = _asks_for_progress(request, message)
    calls: list[str] = []  # of our own endpoints, which count themselves
    environ = _with_whole_body(request) | {_CALLS: calls}
    chunks = iter(loop.wsgi[streams](environ, start_response))
    first = next(chunks, b"")  # with it come status and headers
    response: HttpResponseBase
    if streams and started["status"] == 200:
        response = StreamingHttpResponse(_joined(first, chunks), status=200)
        response["X-Accel-Buffering"] = "no"  # a proxy that waits for the end shows no progress
    else:
        content = b"".join(_joined(first, chunks))
        if not calls and (refusal := _refuse_uncounted(request)):
            return refusal
        response = HttpResponse(content, status=started["status"])
    for name, value in started["headers"]:
        if name.lower() != "content-length":
            response[name] = value
    return response


def _joined(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _refuse_wrong_token(request: HttpRequest) -> HttpResponse | None:
    """Return the answer to a token that is wrong; without one, tools that need none still work."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    try:
        if scheme.lower() == "bearer":
            minting.verify(token.strip())
            return None
    except ApiError:
        pass
    except (OperationalError, InterfaceError):
        return None  # not known to be wrong; the tool's own answer tells
    response = _error_response(401, _UNAUTHORIZED, "The bearer token is not valid.")
    response["WWW-Authenticate"] = (
        f'Bearer error="invalid_token", resource_metadata="{discovery.metadata_url()}"'
    )
    return response


def _refuse_too_many(request: HttpRequest, message: tools.JsonObject) -> HttpResponse | None:
    """Return the answer where a limit is passed; the call of a tool counts as its request does.

    A call that streams counts by itself too: once a stream has begun, nothing can be refused.
    """
    counts_later = message.get("method") == "tools/call" and not _asks_for_progress(
        request, message
    )
    return None if counts_later else _refuse_uncounted(request)


def _refuse_uncounted(request: HttpRequest) -> HttpResponse | None:
    """Count the message, unless it was, and return the answer where that passes a limit."""
    try:
        rate_limits.enforce_late(request)
    except RateLimited as limited:
        seconds = wait_s(limited.recovery)
        response = _error_response(429, _TOO_MANY, limited.text, retry_after_seconds=seconds)
        response["Retry-After"] = str(seconds)
        return response
    return None


def _read_message(request: HttpRequest) -> tuple[tools.JsonObject, str]:
    """Return the message, empty where it is no object, and why it is not the JSON that we take."""
    try:
        message = strict_json.parse(request.body)
    except strict_json.InvalidJson as error:
        return {}, str(error)
    return message if isinstance(message, dict) else {}, ""


def _error_response(status: int, code: int, message: str, **data: Any) -> JsonResponse:
    error = {"code": code, "message": message} | ({"data": data} if data else {})
    return JsonResponse({"jsonrpc": "2.0", "id": None, "error": error}, status=status)


def _asks_for_progress(request: HttpRequest, message: tools.JsonObject) -> bool:
    if "text/event-stream" not in request.headers.get("Accept", ""):
        return False
    try:
        return message["params"]["_meta"]["progressToken"] is not None
    except (KeyError, TypeError):
        return False


def _with_whole_body(request: HttpRequest) -> dict[str, Any]:
    """Return the WSGI request with as many bytes as it says; a2wsgi waits for missing ones."""
    body = request.body
    return request.META | {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}


urlpatterns = [
    path("mcp", endpoint, name="mcp"),
    path("mcp/", endpoint),  # some clients add a slash, and a redirect would lose the body
]
