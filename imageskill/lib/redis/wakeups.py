"""Waiting for news from another process without polling: one Redis subscriber a process.

Waiters sleep on a thread event; a single daemon thread listens and wakes those whose topic
rang. A ring that was missed (Redis restarted, the subscriber was reconnecting) costs time,
never truth: waiters get back to the database at their own intervals.
"""

import threading
import time
from collections import defaultdict
from typing import Self

import redis
import structlog
from django.conf import settings

from imageskill.lib.redis.client import RedisUnavailable, client

log = structlog.get_logger(__name__)

_CHANNEL = "bell"
_lock = threading.Lock()
_waiters: dict[str, set[threading.Event]] = defaultdict(set)
_listener: threading.Thread | None = None


def notify(topic: str) -> None:
    """Wake everybody who waits for the topic, in every process. Never raises."""
    try:
        client().publish(_CHANNEL, topic)
    except RedisUnavailable as error:
        log.warning("bell_not_rung", error=type(error).__name__)


class Waiter:
    """Listens for a topic from the moment it is made, so that no ring falls in between.

    Use as a context manager: make it, look at the database, then `wait`.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._event = threading.Event()

    def __enter__(self) -> Self:
        with _lock:
            _waiters[self._topic].add(self._event)
        _ensure_listener()
        return self

    def __exit__(self, *_: object) -> None:
        with _lock:
            _waiters[self._topic].discard(self._event)
            if not _waiters[self._topic]:
                del _waiters[self._topic]

    def wait(self, timeout_s: float) -> bool:
        """Wait for a ring; False when the time is up. May be called again."""
        rang = self._event.wait(timeout_s)
        self._event.clear()
        return rang


def _ensure_listener() -> None:
    global _listener
    with _lock:
        if _listener is None or not _listener.is_alive():
            _listener = threading.Thread(target=_listen, name="bell", daemon=True)
            _listener.start()


def _listen() -> None:
    while True:
        try:
            connection = redis.Redis.from_url(
                settings.REDIS_URL, decode_responses=True, socket_connect_timeout=2
            )
            subscription = connection.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
            subscription.subscribe(_CHANNEL)
            for message in subscription.listen():
                _wake(message["data"])
        except (redis.RedisError, OSError) as error:
            log.warning("bell_deaf", error=type(error).__name__)
            time.sleep(0.5)


def _wake(topic: str) -> None:
    with _lock:
        for event in _waiters.get(topic, ()):
            event.set()
