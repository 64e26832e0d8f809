"""The one connection pool to Redis of this process."""

import time
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_S = 2
_PAUSE_S = 5.0

RedisUnavailable = redis.RedisError

_silent_until = 0.0


class _Connection:
    """Makes a connection fail at once for a while after Redis left one without an answer.

    Mixed into redis-py's classes. A Redis that accepts and never answers costs each command the
    whole timeout, and a request sends several.
    """

    def connect(self) -> None:
        """Connect, unless Redis was silent just now."""
        if time.monotonic() < _silent_until:
            raise redis.TimeoutError("Redis did not answer a moment ago.")
        try:
            super().connect()  # type: ignore[misc]
        except redis.TimeoutError:
            _pause()
            raise

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Read an answer; none in time means that Redis is silent."""
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except redis.TimeoutError:
            _pause()
            raise


@cache
def client() -> "redis.Redis":
    """Return the shared client; short timeouts, so that a dead Redis can't hold up a request."""
    pool = redis.ConnectionPool.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        health_check_interval=30,
        decode_responses=True,
        # Once more where a connection broke, as after a restart; never where no answer came.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )
    pool.connection_class = type("Connection", (_Connection, pool.connection_class), {})
    return redis.Redis(connection_pool=pool)


def _pause() -> None:
    global _silent_until
    _silent_until = time.monotonic() + _PAUSE_S
