"""Limits on how often something may happen, counted in Redis by fixed windows."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from imageskill.lib.errors import RateLimited
from imageskill.lib.redis.client import RedisUnavailable, client

log = structlog.get_logger(__name__)

_PAUSE_S = 5.0  # without Redis, only one request in a while waits to find out that it is gone
_skip_until = 0.0  # by time.monotonic, of this process


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is counted, and how much of it `per_s` seconds allow.

    `amount` is what this use adds. Where it `is_of_the_past`, this use itself is not in it.
    """

    scope: str
    key: str
    limit: int
    per_s: int
    amount: int = 1
    is_of_the_past: bool = False

    def is_passed_by(self, used: int) -> bool:
        """Return whether a use that makes it `used` in all is one too many."""
        return used + self.is_of_the_past > self.limit


def consume(scope: str, key: str, *, limit: int, per_s: int) -> None:
    """Count one use; raise `RateLimited` as `consume_all` does."""
    consume_all([Bucket(scope, key, limit, per_s)])


def consume_all(buckets: Iterable[Bucket]) -> None:
    """Count in all buckets at once, in one round trip to Redis.

    Raises `RateLimited` with the longest of the waits, in seconds, once any limit is passed.
    Without Redis it does not limit and says so in the log: a limit must not be an outage.
    """
    now = int(time.time())
    wanted = list(buckets)
    waits = [
        bucket.per_s - now % bucket.per_s
        for bucket, used in zip(wanted, _count(wanted, now), strict=False)
        if bucket.is_passed_by(used)
    ]
    if waits:
        raise RateLimited(recovery={"retry_after_seconds": max(waits)})


def _count(buckets: list[Bucket], now: int) -> list[int]:
    """Return how much each window holds, this use included; nothing while Redis is gone."""
    global _skip_until
    if not buckets or time.monotonic() < _skip_until:
        return []
    try:
        counting = client().pipeline()
        for bucket in buckets:
            name = f"limit:{bucket.scope}:{bucket.key}:{now // bucket.per_s}"
            counting.incrby(name, bucket.amount)
            counting.expire(name, bucket.per_s + 1)
        return [int(used) for used in counting.execute()[::2]]
    except RedisUnavailable as error:
        _skip_until = time.monotonic() + _PAUSE_S
        log.warning("limits_not_counted", error=type(error).__name__)
        return []
