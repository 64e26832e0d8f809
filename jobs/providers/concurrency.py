"""How many runs a provider has at once, over all workers: a place each, kept in Redis.

A job that finds no room waits in line, without a thread, and is sent to a worker again when its
place is free. A place that nobody renews expires, so a killed worker takes up no room for long.
Times are those of Redis, whatever a worker's own clock says. Without Redis the limit does not
hold, and the log says so: a safeguard must not be an outage.
"""

from datetime import datetime
from typing import Any

import structlog

from imageskill.lib import clock
from imageskill.lib.queue import send
from imageskill.lib.redis.client import RedisUnavailable, client
from jobs.providers.vendors import VENDORS

log = structlog.get_logger(__name__)

LEASE_S = 120
"""For runs that are polled; each poll renews it."""
HANDOVER_S = 30
"""For the next in line, until a worker has taken its message."""
_LINE_S = 86_400  # longer than any job waits

_FREE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local function hold(job, seconds)
  redis.call('ZADD', KEYS[1], now + seconds, job)
  redis.call('EXPIREAT', KEYS[1], math.ceil(now + seconds) + 1, 'GT')
  redis.call('EXPIREAT', KEYS[1], math.ceil(now + seconds) + 1, 'NX')
end
"""
_ACQUIRE_SCRIPT = f"""{_FREE}
if not redis.call('ZSCORE', KEYS[1], ARGV[1])
   and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[2], 'NX', now, ARGV[1])
  redis.call('EXPIRE', KEYS[2], {_LINE_S})
  return 0
end
redis.call('ZREM', KEYS[2], ARGV[1])
hold(ARGV[1], tonumber(ARGV[3]))
return 1
"""
_RENEW_SCRIPT = f"""{_FREE}
hold(ARGV[1], tonumber(ARGV[3]))
"""
_RELEASE_SCRIPT = f"""{_FREE}
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
local room = tonumber(ARGV[2]) - redis.call('ZCARD', KEYS[1])
if room <= 0 then return {{}} end
local next = {{}}
for i, job in ipairs(redis.call('ZPOPMIN', KEYS[2], room)) do
  if i % 2 == 1 then
    hold(job, tonumber(ARGV[3]))
    table.insert(next, job)
  end
end
return next
"""
_COUNT_SCRIPT = f"""{_FREE}
return redis.call('ZCARD', KEYS[1])
"""


def acquire(provider: str, job_id: str, *, until: datetime) -> bool:
    """Take a place for the job's run until that moment; False where it has to wait in line."""
    seconds = max((until - clock.now()).total_seconds(), 0)
    return bool(_run(_ACQUIRE_SCRIPT, provider, job_id, seconds, default=1))


def renew(provider: str, job_id: str) -> None:
    """Renew the place of a run that is being polled, however many there are by now."""
    _run(_RENEW_SCRIPT, provider, job_id, LEASE_S)


def release(provider: str, job_id: str) -> None:
    """Give a place back, and send whoever is next in line to a worker."""
    for waiting in _run(_RELEASE_SCRIPT, provider, job_id, HANDOVER_S, default=()):
        send("jobs.run", job_id=waiting)


def in_use(provider: str) -> int | None:
    """Count the runs that have a place now; None where Redis can't be asked."""
    count: int | None = _run(_COUNT_SCRIPT, provider)
    return count


def in_line(provider: str) -> int | None:
    """Count the jobs that wait for a place; None where Redis can't be asked."""
    try:
        return int(client().zcard(_line_key(provider)))
    except RedisUnavailable:
        return None


def _line_key(provider: str) -> str:
    return f"seats_wanted:{provider}"


def _run(script: str, provider: str, *arguments: Any, default: Any = None) -> Any:
    """Run a script with the job, the provider's limit and seconds."""
    job, *rest = arguments or ("",)
    # Names under which places are held across a deploy.
    keys = (f"seats:{provider}", _line_key(provider))
    try:
        return client().eval(script, 2, *keys, job, VENDORS[provider].max_concurrency, *rest)
    except RedisUnavailable as error:
        log.warning("concurrency_not_counted", error=type(error).__name__)
        return default
