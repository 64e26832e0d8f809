"""How many runs a provider has at once, over all workers: a lease each, kept in Redis.

A lease that nobody renews expires, so a killed worker takes up no room for long. Without Redis
the limit does not hold, and the log says so: a safeguard must not be an outage.
"""

import time
from datetime import datetime
from typing import Any

import structlog

from imageskill.lib import clock
from imageskill.lib.redis.client import RedisUnavailable, client
from jobs.providers.failures import UNAVAILABLE, ProviderError
from jobs.providers.vendors import VENDORS

log = structlog.get_logger(__name__)

LEASE_S = 120
"""For runs that are polled; each poll renews it."""
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
    """Wait until the provider has room for the run, and take a lease until the deadline.

    Raises `ProviderError` (unavailable) where there is none in time.
    """
    while not _try_acquire(provider, job_id, until=deadline.timestamp()):
        if clock.now() >= deadline:
            raise ProviderError(UNAVAILABLE, reason="concurrency_limit", retry_after_s=60)
        time.sleep(PAUSE_S)


def renew(provider: str, job_id: str) -> None:
    """Renew the lease of a run that is being polled, however many there are by now."""
    _with_redis(lambda redis: redis.zadd(_key(provider), {job_id: time.time() + LEASE_S}))


def release(provider: str, job_id: str) -> None:
    """End the lease of a run."""
    _with_redis(lambda redis: redis.zrem(_key(provider), job_id))


def in_use(provider: str) -> int | None:
    """Count the runs that have a lease now; None where Redis can't be asked."""
    count: int | None = _with_redis(lambda redis: redis.zcount(_key(provider), time.time(), "+inf"))
    return count


def _try_acquire(provider: str, job_id: str, *, until: float) -> bool:
    arguments = (time.time(), job_id, VENDORS[provider].max_concurrency, until)
    return bool(
        _with_redis(
            lambda redis: redis.eval(_ACQUIRE_SCRIPT, 1, _key(provider), *arguments), default=1
        )
    )


def _with_redis(command: Any, *, default: Any = None) -> Any:
    try:
        return command(client())
    except RedisUnavailable as error:
        log.warning("concurrency_not_counted", error=type(error).__name__)
        return default


def _key(provider: str) -> str:
    return f"seats:{provider}"  # the name under which leases are held across a deploy
