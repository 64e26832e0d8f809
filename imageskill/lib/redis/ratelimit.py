"""Limits on how often something may happen, counted in Redis by fixed windows."""

import time

import structlog

from imageskill.lib.errors import RateLimited
from imageskill.lib.redis.client import RedisUnavailable, client

log = structlog.get_logger(__name__)


def consume(scope: str, key: str, *, limit: int, per_s: int) -> None:
    """Count one use; raise `RateLimited` with the seconds to wait once `limit` is passed.

    Without Redis it does not limit and says so in the log: a limit must not be an outage.
    """
    window, seconds_in = divmod(int(time.time()), per_s)
    name = f"limit:{scope}:{key}:{window}"
    try:
        counting = client().pipeline()
        counting.incr(name)
        counting.expire(name, per_s + 1)
        used, _ = counting.execute()
    except RedisUnavailable as error:
        log.warning("limit_not_counted", scope=scope, error=type(error).__name__)
        return
    if used > limit:
        raise RateLimited(recovery={"retry_after_seconds": per_s - seconds_in})
