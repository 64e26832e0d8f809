"""Counts of downloads by day, without who made them and without delaying a request.

A request adds one in Redis, to the minute that it falls into; a task moves the minutes that are
over into the table. What Redis loses in a restart is not counted, nor is what a browser or CDN has
in its cache. Clocks of machines may differ by a minute.
"""

import time
from datetime import UTC, datetime
from typing import Any

import structlog
from django.db import connection

from imageskill.lib import clock
from imageskill.lib.redis.client import RedisUnavailable, client
from jobs.models import Asset

log = structlog.get_logger(__name__)

_KEY_PREFIX = "downloads"  # the minutes to be written, each with itself as its score
_CLOSED_AFTER_MINUTES = 2  # by then nobody counts in that minute any more
_TTL_S = 7 * 24 * 3600  # where no worker comes for them, so that Redis does not fill up
_BACKOFF_S = 30

_paused_until = 0.0


def record(asset: Asset) -> None:
    """Count one download by now, in one trip to Redis. Never raises.

    After Redis has failed nothing is counted for a while, so that no image waits for it again.
    """
    global _paused_until
    if time.monotonic() < _paused_until:
        return
    minute = _minute_now()
    try:
        counting = client().pipeline()
        counting.zadd(_KEY_PREFIX, {str(minute): minute})
        counting.hincrby(_key(minute), str(asset.pk))
        counting.expire(_key(minute), _TTL_S)
        counting.execute()
    except RedisUnavailable as error:
        _paused_until = time.monotonic() + _BACKOFF_S
        log.warning("download_not_counted", error=type(error).__name__)


def flush() -> int:
    """Add the minutes that are over to their days; return how many there were.

    Safe to repeat, to be killed in, and to run twice at once: a row takes only minutes that are
    later than its last, and a minute leaves Redis after its rows were written.
    """
    over = client().zrangebyscore(_KEY_PREFIX, 0, _minute_now() - _CLOSED_AFTER_MINUTES)
    for member in over:
        minute = int(str(member))
        counts = client().hgetall(_key(minute))
        _add(minute, {int(asset): int(times) for asset, times in counts.items()})
        client().delete(_key(minute))
        client().zrem(_KEY_PREFIX, str(minute))
    return len(over)


# An asset that is not there (any more) must not keep the others from being counted.
_ADD_SQL = """
INSERT INTO jobs_downloadday AS kept (asset_id, day, count, first_at, last_at)
SELECT asset.id, %(day)s, fetched.times, %(at)s, %(at)s
  FROM unnest(%(assets)s::bigint[], %(counts)s::integer[]) AS fetched (asset_id, times)
  JOIN jobs_asset asset ON asset.id = fetched.asset_id
 ORDER BY asset.id
ON CONFLICT (asset_id, day) DO UPDATE
   SET count = kept.count + excluded.count, last_at = excluded.last_at
 WHERE kept.last_at < excluded.last_at
"""


def _add(minute: int, counts: dict[int, int]) -> None:
    at = datetime.fromtimestamp(minute * 60, UTC)
    values: dict[str, Any] = {
        "day": clock.utc_day(at),
        "at": at,
        "assets": list(counts),
        "counts": list(counts.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD_SQL, values)


def _minute_now() -> int:
    return int(clock.now().timestamp()) // 60


def _key(minute: int) -> str:
    return f"downloads:{minute}"
