"""A lock that one process at a time holds: renewed while it is held, free a minute after a crash.

In Redis and not in PostgreSQL, whose session locks don't survive PgBouncer's transaction mode: they
would be taken on one connection and released on another. A process that stands still for longer
than a minute loses its lock, so what runs under one must also bear to run twice.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from redis.exceptions import LockError
from redis.lock import Lock

from imageskill.lib.redis.client import RedisUnavailable, client

log = structlog.get_logger(__name__)

_TTL_S = 60.0


@contextmanager
def held(name: str, *, ttl_s: float = _TTL_S) -> Iterator[bool]:
    """Hold the lock of this name within the block; yields False where another process has it.

    Raises `RedisUnavailable`.
    """
    # Not of a thread: another one renews it.
    lock = Lock(client(), f"lock:{name}", timeout=ttl_s, thread_local=False)
    if not lock.acquire(blocking=False):
        yield False
        return
    done = threading.Event()
    renewal = threading.Thread(target=_renew, args=(lock, done, ttl_s / 3), daemon=True)
    renewal.start()
    try:
        yield True
    finally:
        done.set()
        renewal.join()
        _release(lock, name)


def _renew(lock: Lock, done: threading.Event, every_s: float) -> None:
    while not done.wait(every_s):
        try:
            lock.reacquire()
        except (LockError, RedisUnavailable) as error:
            log.warning("lock_not_renewed", lock=str(lock.name), error=type(error).__name__)


def _release(lock: Lock, name: str) -> None:
    try:
        lock.release()
    except (LockError, RedisUnavailable) as error:
        log.warning("lock_not_released", lock=name, error=type(error).__name__)
