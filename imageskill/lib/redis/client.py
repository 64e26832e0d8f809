"""The one connection pool to Redis of this process."""

from functools import cache

import redis
from django.conf import settings


@cache
def client() -> "redis.Redis":
    """Return the shared client; short timeouts, so that a dead Redis can't hold up a request."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=2,
        socket_connect_timeout=2,
        health_check_interval=30,
        decode_responses=True,
    )


RedisUnavailable = redis.RedisError
