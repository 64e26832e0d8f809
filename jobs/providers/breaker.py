"""The circuit breaker of each model: after repeated failures it is not called for a while.

It is kept in Redis, so that all processes share it. Open, it refuses at once; after its pause it
is half-open and lets one call try, whose end closes it or opens it for twice as long. Without
Redis it stays closed and says so in the log: a safeguard must not be an outage (ADR 7).
"""

import math
from collections.abc import Iterable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

import structlog
from django.conf import settings

from imageskill.lib.redis.client import RedisUnavailable, client
from jobs.providers.failures import UNAVAILABLE, ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

MAX_PAUSE_S = 600
FAILURE_TTL_S = 3600
"""How long it remembers that it was open, so that the first call after is a probe."""

Arguments = ParamSpec("Arguments")


def _ignore_redis_errors(function: "Callable[Arguments, None]") -> "Callable[Arguments, None]":
    @wraps(function)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except RedisUnavailable as error:
            log.warning("breaker_unavailable", error=type(error).__name__)

    return guarded


@_ignore_redis_errors
def check(model_id: str) -> None:
    """Raise `ProviderError` (unavailable, with the seconds to wait) while the breaker is open."""
    pipeline = client().pipeline()
    pipeline.pttl(_key(model_id, "open"))
    pipeline.exists(_key(model_id, "pauses"))
    paused_ms, was_open = pipeline.execute()
    if paused_ms > 0:
        raise ProviderError(
            UNAVAILABLE, reason="breaker_open", retry_after_s=math.ceil(paused_ms / 1000)
        )
    pause_s = settings.BREAKER_PAUSE_S
    if was_open and not client().set(_key(model_id, "probe"), 1, nx=True, ex=pause_s):
        raise ProviderError(UNAVAILABLE, reason="breaker_half_open", retry_after_s=pause_s)


@_ignore_redis_errors
def record_failure(model_id: str) -> None:
    """Count a failure that tells of the provider's health; enough of them open the breaker."""
    failures_key, pauses_key = _key(model_id, "failures"), _key(model_id, "pauses")
    pipeline = client().pipeline()
    pipeline.incr(failures_key)
    pipeline.expire(failures_key, settings.BREAKER_WINDOW_S)
    pipeline.get(pauses_key)
    failures, _, pauses = pipeline.execute()
    if failures < settings.BREAKER_FAILURES and not pauses:
        return
    pause_s = min(settings.BREAKER_PAUSE_S * 2 ** int(pauses or 0), MAX_PAUSE_S)
    log.warning("breaker_opened", model_id=model_id, pause_s=pause_s)
    pipeline = client().pipeline()
    pipeline.set(_key(model_id, "open"), 1, ex=pause_s)
    pipeline.incr(pauses_key)
    pipeline.expire(pauses_key, FAILURE_TTL_S)
    pipeline.delete(failures_key, _key(model_id, "probe"))
    pipeline.execute()


@_ignore_redis_errors
def record_success(model_id: str) -> None:
    """Close the breaker: the provider did what it was asked, or refused for good reasons."""
    client().delete(*(_key(model_id, part) for part in ("failures", "open", "pauses", "probe")))


def seconds_until_closed(model_ids: Iterable[str]) -> dict[str, int]:
    """Return the seconds for which each model is refused; those that may be called are left out.

    That is while its breaker is open, and while the one call that may try is on its way.
    """
    names = list(model_ids)
    pipeline = client().pipeline()
    for name in names:
        pipeline.pttl(_key(name, "open"))
        pipeline.pttl(_key(name, "probe"))
    try:
        left_ms = pipeline.execute()
    except RedisUnavailable as error:
        log.warning("breaker_unavailable", error=type(error).__name__)
        return {}
    longest = map(max, left_ms[::2], left_ms[1::2])
    return {
        name: math.ceil(left / 1000) for name, left in zip(names, longest, strict=True) if left > 0
    }


def _key(model_id: str, part: str) -> str:
    return f"breaker:{model_id}:{part}"
