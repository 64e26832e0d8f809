"""How many runs a provider has at once, over all workers: a seat each, leased in Redis.

A lease that nobody renews ends by itself, so a killed worker gives its seat back. Without Redis
everybody is let in, and the log says so.
"""

import time
from datetime import datetime
from typing import Any

import structlog

from imageskill.lib import clock
from imageskill.lib.redis_client import RedisUnavailable, client
from jobs.providers.failures import UNAVAILABLE, ProviderError
from jobs.providers.vendors import VENDORS

log = structlog.get_logger(__name__)

LEASE_S = 120
"""For runs that are looked at; each look renews it."""
PAUSE_S = 0.25

_ACQUIRE_SCRIPT = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
local has_it = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not has_it and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[4], ARGV[2])
redis.call('EXPIREAT', KEYS[1], math.ceil(ARGV[4]) + 1, 'GT')
redis.call('EXPIREAT', KEYS[1], math.ceil(ARGV[4]) + 1, 'NX')
return 1
"""


def acquire(provider: str, job_id: str, *, deadline: datetime) -> None:
    """Wait for a seat and lease it until the deadline.

    Raises `ProviderError` (unavailable) where none is free in time.
    """
    while not _try_acquire(provider, job_id, until=deadline.timestamp()):
        if clock.now() >= deadline:
            raise ProviderError(UNAVAILABLE, reason="no_seat", retry_after_s=60)
        time.sleep(PAUSE_S)


def renew(provider: str, job_id: str) -> None:
    """Keep the seat of a run that is being looked at, however full it is by now."""
    _with_redis(lambda redis: redis.zadd(_key(provider), {job_id: time.time() + LEASE_S}))


def release(provider: str, job_id: str) -> None:
    """Give the seat back."""
    _with_redis(lambda redis: redis.zrem(_key(provider), job_id))


def in_use(provider: str) -> int | None:
    """Count the runs that have a seat now; None where Redis can't be asked."""
    count: int | None = _with_redis(lambda redis: redis.zcount(_key(provider), time.time(), "+inf"))
    return count


def _try_acquire(provider: str, job_id: str, *, until: float) -> bool:
    arguments = (time.time(), job_id, VENDORS[provider].max_concurrency, until)
    return bool(
        _with_redis(
            lambda redis: redis.eval(_ACQUIRE_SCRIPT, 1, _key(provider), *arguments), default=1
        )
    )


def _with_redis(question: Any, *, default: Any = None) -> Any:
    try:
        return question(client())
    except RedisUnavailable as error:
        log.warning("seats_not_counted", error=type(error).__name__)
        return default


def _key(provider: str) -> str:
    return f"seats:{provider}"
