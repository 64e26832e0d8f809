"""Requests to the API over one connection, and plain downloads."""

import http.client
import json
import os
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from imageskill.cli import telemetry
from imageskill.cli.envelopes import CommandResult
from imageskill.cli.errors import CertificateNotTrusted, CliError, InvalidResponse, RequestFailed
from imageskill.cli.grammar.requests import EndpointRequest
from imageskill.cli.transport import certificates, proxies

TIMEOUT_S = 120  # above the server's longest wait
CONNECT_TIMEOUT_S = 15
MAX_RESPONSE_BYTES = 16 * 1024 * 1024
MAX_REDIRECTS = 5
_FAILURES = (OSError, http.client.HTTPException)
_REDIRECTS = {301, 302, 303, 307, 308}
_EXIT_CODES = {401: 3, 403: 4, 402: 5, 429: 5, 504: 8}


class StreamedBody(NamedTuple):
    """A body that is sent piece by piece, of a length known beforehand."""

    pieces: Iterable[bytes]
    length: int


def send(
    api: str,
    request: EndpointRequest,
    *,
    token: str | None = None,
    stream: StreamedBody | None = None,
) -> CommandResult:
    """Send the request and return its envelope; raises RequestFailed or InvalidResponse."""
    headers = {"Accept": "application/json", **telemetry.headers(os.environ)}
    body: bytes | Iterable[bytes] | None = None
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if stream is not None:
        body = stream.pieces
        headers["Content-Length"] = str(stream.length)
    elif request.body is not None:
        body = json.dumps(request.body).encode()
    if body is not None:
        headers["Content-Type"] = "application/json"
    line = connect(api)
    try:
        _send(line, request, body, headers)
        response = line.connection.getresponse()
        text = response.read(MAX_RESPONSE_BYTES)
    except (*_FAILURES, ValueError) as error:
        raise _request_failed(api, error) from None
    finally:
        line.connection.close()
    return _parse_response(response, text)


@contextmanager
def post(
    api: str, path: str, body: bytes, *, headers: Mapping[str, str]
) -> Iterator[http.client.HTTPResponse]:
    """Send JSON as it is and return the open response; raises RequestFailed."""
    line = connect(api)
    sent = {"Content-Type": "application/json", **telemetry.headers(os.environ), **headers}
    try:
        _send(line, EndpointRequest("POST", path), body, sent)
        yield line.connection.getresponse()
    except (*_FAILURES, ValueError) as error:
        raise _request_failed(api, error) from None
    finally:
        line.connection.close()


class PreparedConnection(NamedTuple):
    """A connection to a host, through a proxy where there is one; nothing is sent yet."""

    connection: http.client.HTTPConnection
    prefix: str = ""  # what a proxy for plain HTTP wants before each path
    headers: Mapping[str, str] = {}


def connect(url: str) -> PreparedConnection:
    """Prepare a connection to the URL's host."""
    parts = urlsplit(url)
    proxy = proxies.proxy_for(url, os.environ)
    if parts.scheme == "https":
        context = certificates.trusted(os.environ)
        if proxy is None:
            return PreparedConnection(
                http.client.HTTPSConnection(parts.netloc, timeout=TIMEOUT_S, context=context)
            )
        tunnel = http.client.HTTPSConnection(
            proxy.host, proxy.port, timeout=TIMEOUT_S, context=context
        )
        tunnel.set_tunnel(parts.hostname or "", parts.port or 443, headers=proxy.headers)
        return PreparedConnection(tunnel)
    if proxy is None:
        return PreparedConnection(http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S))
    plain = http.client.HTTPConnection(proxy.host, proxy.port, timeout=TIMEOUT_S)
    return PreparedConnection(plain, f"http://{parts.netloc}", proxy.headers)


class Download(NamedTuple):
    """An open response of a GET, and the connection to close after it."""

    response: http.client.HTTPResponse
    connection: http.client.HTTPConnection
    url: str


def open_url(url: str, *, problem: type[CliError]) -> Download:
    """GET a URL without any credential, following redirects; raises `problem`."""
    for _ in range(MAX_REDIRECTS):
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise problem("The URL must begin with http:// or https:// and name a host.")
        line = connect(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"User-Agent": "image-skill", **line.headers}
        connection = line.connection
        try:
            connection.request("GET", line.prefix + target, headers=headers)
            response = connection.getresponse()
        except (*_FAILURES, ValueError) as error:
            connection.close()
            failure = problem(f"{parts.hostname} did not answer: {describe_failure(error)}.")
            failure.retryable &= not isinstance(error, ssl.SSLCertVerificationError)
            raise failure from None
        if response.status == 200:
            return Download(response, connection, url)
        connection.close()
        location = response.headers.get("Location")
        if response.status not in _REDIRECTS or not location:
            raise problem(f"{parts.hostname} answered HTTP {response.status}.")
        url = urljoin(url, location)
    raise problem("There were too many redirects.")


def _request_failed(api: str, error: Exception) -> RequestFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateNotTrusted(f"Nothing was sent to {api}: {describe_failure(error)}.")
    return RequestFailed(f"The server at {api} did not answer: {describe_failure(error)}.")


def describe_failure(error: Exception) -> str:
    """Return in a few words why a connection failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}). {certificates.HINT}"
    if isinstance(error, TimeoutError):
        return "it took too long"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:200]


def _send(
    line: PreparedConnection,
    request: EndpointRequest,
    body: bytes | Iterable[bytes] | None,
    headers: dict[str, str],
) -> None:
    connection = line.connection
    connection.timeout = CONNECT_TIMEOUT_S
    connection.connect()
    connection.sock.settimeout(TIMEOUT_S)
    try:
        connection.request(
            request.method,
            line.prefix + request.target,
            body=body,
            headers={**headers, **line.headers},
        )
    except (BrokenPipeError, ConnectionResetError):
        if body is None:
            raise
        # A server that refuses a body stops reading; its answer may be there all the same.


def _parse_response(response: http.client.HTTPResponse, text: bytes) -> CommandResult:
    try:
        envelope: Any = json.loads(text)
    except ValueError:
        envelope = None
    if not isinstance(envelope, dict) or "ok" not in envelope:
        raise InvalidResponse(f"The response (HTTP {response.status}) is not an envelope.")
    return CommandResult(envelope, _exit_code(response, envelope), response.status)


def _exit_code(response: http.client.HTTPResponse, envelope: dict[str, Any]) -> int:
    header = response.headers.get("x-image-skill-exit-code", "")
    if header.isdigit() and int(header) < 10:
        return int(header)
    if envelope["ok"]:
        return 0
    return _EXIT_CODES.get(response.status, 7 if response.status >= 500 else 1)
