"""Bodies of requests: read below Django, to their limit and in bounded time.

A body comes with a Content-Length or chunked. Django reads as many bytes as Content-Length says,
so a chunked body would arrive empty; `ReadBodies` passes every body on complete, with the length
that it turned out to have. `imageskill.web.middleware.BodyLimitMiddleware` then refuses those that
are larger than the endpoint takes, or did not arrive.

Each request has a thread while its body arrives, so that clients that send slowly could take all
of them. A body has a deadline, and bodies that are being read have a number of places, in all and
for each network: whoever finds none is told to come again, and requests without a body go on.

What is too long is read on for a while and dropped. Most clients send all of a body before they
read anything, and one whose connection is closed meanwhile sees a broken pipe, not the answer.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import IO, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings

from imageskill.lib.http import address_of, is_loopback, network_of

MEMORY_BYTES = 256 * 1024  # of one body; a longer one waits on disk
NOT_READ = "imageskill.body_not_read"  # in the environment: why there is no body
BUSY, SLOW = "busy", "slow"
_READ_BYTES = 64 * 1024
_DEADLINE_S = 15.0  # of any body, and one second more for each so many bytes of it:
_BYTES_PER_S = 20_000
_DROPPED_BYTES = 64 * 1024 * 1024  # of a body that is too long; with more of it, none is read
_DROPPED_BYTES_PER_S = 1_000_000


class BodyNotRead(Exception):
    """The body was not read; the reason is BUSY or SLOW."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ReadBodies:
    """A WSGI application that gives another one every body complete and with its length."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application
        self._places = _Places()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        is_chunked = _is_chunked(environ)
        length = _declared_length(environ)
        limit = limit_bytes(environ["PATH_INFO"])
        if not is_chunked and not 0 < length <= limit:
            if _is_to_be_dropped(environ, length):
                self._drop(environ, most=length)
            return self.application(environ, start_response)  # nothing to read, or refused
        # Views have read what they want of the body by the time they return.
        with tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES) as body:
            most = limit + 1 if is_chunked else length
            return self.application(self._with_body(environ, body, most), start_response)

    def _with_body(self, environ: WSGIEnvironment, body: IO[bytes], most: int) -> WSGIEnvironment:
        """Read the body, `most` bytes at most; return the request with its length.

        A Content-Length that came beside Transfer-Encoding counts for nothing (RFC 9112, 6.3).
        """
        try:
            with self._places.take(environ):
                length = sum(map(body.write, _pieces(environ["wsgi.input"], most=most)))
        except BodyNotRead as failure:
            return environ | {"CONTENT_LENGTH": "0", NOT_READ: failure.reason}
        if length > limit_bytes(environ["PATH_INFO"]):
            self._drop(environ, most=_DROPPED_BYTES)
        body.seek(0)
        read = environ | {"CONTENT_LENGTH": str(length), "wsgi.input": body}
        read.pop("HTTP_TRANSFER_ENCODING", None)
        return read

    def _drop(self, environ: WSGIEnvironment, *, most: int) -> None:
        """Read on for nothing; however that ends, the body is refused as too long."""
        pieces = _pieces(environ["wsgi.input"], most=most, bytes_per_s=_DROPPED_BYTES_PER_S)
        with suppress(BodyNotRead, OSError), self._places.take(environ):
            for _ in pieces:
                pass


class _Places:
    """The bodies that are being read in this process, in all and by network."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def take(self, environ: WSGIEnvironment) -> Iterator[None]:
        """Take a place while a body is read; raises `BodyNotRead` where none is left."""
        network = network_of(address_of(environ))
        with self._lock:
            if self._is_full(network):
                raise BodyNotRead(BUSY)
            self._taken[network] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[network] -= 1
                self._taken += Counter()  # forget networks without any

    def _is_full(self, network: str) -> bool:
        if self._taken.total() >= settings.BODIES_AT_ONCE:
            return True
        # A proxy on this machine speaks for everybody.
        is_bounded = not is_loopback(network)
        return is_bounded and self._taken[network] >= settings.BODIES_AT_ONCE_PER_NETWORK


def limit_bytes(path: str) -> int:
    """Return how many bytes the body of a request to this path may have."""
    limit: int = settings.BODY_BYTES_AT.get(path, settings.BODY_BYTES)
    return limit


def _is_chunked(environ: WSGIEnvironment) -> bool:
    """Return whether the body is chunked, and the server ends the input where the body ends."""
    return bool(environ.get("HTTP_TRANSFER_ENCODING") and environ.get("wsgi.input_terminated"))


def _declared_length(environ: WSGIEnvironment) -> int:
    text = environ.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0


def _is_to_be_dropped(environ: WSGIEnvironment, length: int) -> bool:
    """Return whether a body that is too long is read at all.

    Who asks before sending it (curl does) gets the answer instead of an invitation.
    """
    asks_first = environ.get("HTTP_EXPECT", "").lower() == "100-continue"
    return not asks_first and 0 < length <= _DROPPED_BYTES


def _pieces(source: Any, *, most: int, bytes_per_s: int = _BYTES_PER_S) -> Iterator[bytes]:
    """Yield what comes until the source ends or has given that many bytes.

    Raises `BodyNotRead` once the bytes come too slowly. A read returns only when it has all that
    it asked for, so each asks for as much as has come: it lasts no longer than all before it.
    """
    started, length = time.monotonic(), 0
    while size := min(_READ_BYTES, length + 1, most - length):
        data = source.read(size)
        if not data:
            break
        length += len(data)
        yield data
        if time.monotonic() - started > _DEADLINE_S + length / bytes_per_s:
            raise BodyNotRead(SLOW)
