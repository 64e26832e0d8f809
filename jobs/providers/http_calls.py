"""Calls over HTTP: what a failed one means, and which may be made again."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

import httpx
import structlog
from django.conf import settings

from imageskill.lib import clock
from jobs.providers.failures import OUTCOME_UNKNOWN, TRANSIENT, ProviderError

log = structlog.get_logger(__name__)

ResponseT = TypeVar("ResponseT")

FIRST_PAUSE_S = 0.5
MAX_PAUSE_S = 8.0
MAX_RETRY_AFTER_S = 3600
LAST_MOMENT_S = 30
MAX_ERROR_BYTES = 64 * 1024
MAX_RESPONSE_BYTES = 1 << 20
"""For answers that hold no image."""

_NEVER_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}


def client() -> httpx.Client:
    """Open a client that follows no redirects and waits as long as each call says."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    return httpx.Client(limits=limits, follow_redirects=False)


def timeout(seconds: float) -> httpx.Timeout:
    """Limit each wait for bytes; connecting has a limit of its own."""
    return httpx.Timeout(seconds, connect=settings.PROVIDER_CONNECT_TIMEOUT_S)


def seconds_left(deadline: datetime, *, at_most: float) -> float:
    """Return how long a call may take, a second at least."""
    return max(1.0, min(at_most, (deadline - clock.now()).total_seconds()))


def is_last_moment(deadline: datetime) -> bool:
    """Return whether it is too late to hope that asking again brings more."""
    return clock.now() + timedelta(seconds=LAST_MOMENT_S) >= deadline


def disconnect_error(error: BaseException) -> ProviderError:
    """Return what a call without an answer means: not begun, or begun and its outcome unknown.

    Goes by the names of httpx's errors, which are the same in each of its generations.
    """
    name = type(error).__name__
    if name in _NEVER_SENT:
        return ProviderError(TRANSIENT, reason="unreachable")
    return ProviderError(OUTCOME_UNKNOWN, reason=f"cut_off_{name.lower()}")


def until_deadline(chunks: Iterable[bytes], *, deadline: datetime) -> Iterator[bytes]:
    """Yield a response's chunks; raise where it still trickles in past the deadline."""
    for chunk in chunks:
        if clock.now() > deadline:
            raise ProviderError(OUTCOME_UNKNOWN, reason="answer_too_slow")
        yield chunk


def read_prefix(chunks: Iterable[bytes], *, at_most: int) -> bytes:
    """Read an answer up to a length; what is longer is cut off."""
    read = bytearray()
    for chunk in chunks:
        read += chunk[: at_most - len(read)]
        if len(read) == at_most:
            break
    return bytes(read)


def call_until_accepted(call: Callable[[], ResponseT], *, deadline: datetime) -> ResponseT:
    """Make a call, and again with growing pauses while the provider says it did not take it.

    Ends after `PROVIDER_RETRY_S`, or at the deadline. A call whose outcome is unknown is never
    made again.
    """
    stop_at = min(deadline, clock.now() + timedelta(seconds=settings.PROVIDER_RETRY_S))
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return call()
        except ProviderError as error:
            wait_s = error.retry_after_s or pause_s * random.uniform(0.7, 1.3)  # noqa: S311
            is_too_late = clock.now() + timedelta(seconds=wait_s) >= stop_at
            if not error.failure.is_retryable_before_acceptance or is_too_late:
                raise
            log.info("provider_called_again", reason=error.reason, wait_s=round(wait_s, 1))
        time.sleep(wait_s)
        pause_s = min(pause_s * 2, MAX_PAUSE_S)


def retry_after_seconds(retry_after: str | None) -> int | None:
    """Read a Retry-After header in seconds; None where it holds no number."""
    if not retry_after or not retry_after.strip().isdigit():
        return None
    return min(int(retry_after), MAX_RETRY_AFTER_S) or None
