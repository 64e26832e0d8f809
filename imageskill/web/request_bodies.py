"""Bodies of requests: their limits, and those that come without a length.

A body comes with a Content-Length or chunked. Django reads as many bytes as Content-Length says,
so a chunked body would arrive empty; `WithLength` reads it below Django and passes it on with the
length that it turned out to have. `imageskill.web.middleware.BodyLimitMiddleware` then refuses by
their length the bodies of both kinds that are larger than the endpoint takes.
"""

import tempfile
from collections.abc import Iterable
from typing import IO, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings

MEMORY_BYTES = 256 * 1024  # of one chunked body; a longer one waits on disk
_READ_BYTES = 64 * 1024


class WithLength:
    """A WSGI application that gives another one every body with its length."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if not _is_chunked(environ):
            return self.application(environ, start_response)
        # Views have read what they want of the body by the time they return.
        with tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES) as body:
            return self.application(_with_length(environ, body), start_response)


def limit_bytes(path: str) -> int:
    """Return how many bytes the body of a request to this path may have."""
    limit: int = settings.BODY_BYTES_AT.get(path, settings.BODY_BYTES)
    return limit


def _is_chunked(environ: WSGIEnvironment) -> bool:
    """Return whether the body is chunked, and the server ends the input where the body ends."""
    return bool(environ.get("HTTP_TRANSFER_ENCODING") and environ.get("wsgi.input_terminated"))


def _with_length(environ: WSGIEnvironment, body: IO[bytes]) -> WSGIEnvironment:
    """Read the body, one byte past the limit at most; return the request with its length.

    A Content-Length that came beside Transfer-Encoding counts for nothing (RFC 9112, 6.3).
    """
    length = _copy(environ["wsgi.input"], body, most=limit_bytes(environ["PATH_INFO"]) + 1)
    body.seek(0)
    counted = environ | {"CONTENT_LENGTH": str(length), "wsgi.input": body}
    del counted["HTTP_TRANSFER_ENCODING"]
    return counted


def _copy(source: Any, target: IO[bytes], *, most: int) -> int:
    """Copy until the source ends or has given that many bytes; return how many it gave."""
    length = 0
    while length < most and (data := source.read(min(_READ_BYTES, most - length))):
        length += target.write(data)
    return length
