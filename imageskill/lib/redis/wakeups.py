"""Waiting for a change in another process without polling: one Redis subscriber a process.

Waiters sleep on a thread event; a single daemon thread listens and wakes those of a topic. A
wakeup that is missed (Redis restarted, the subscriber was reconnecting) only costs time: waiters
read the database again at their own intervals.
"""

import threading
import time
from collections import defaultdict
from typing import Self

import redis
import structlog
from django.conf import settings

from imageskill.lib.redis.client import TIMEOUT_S, RedisUnavailable, client

log = structlog.get_logger(__name__)

_CHANNEL = "bell"  # the name stays: processes of two releases talk to each other in a deploy
_PING_EVERY_S = 15.0  # a connection that nobody answers on any more looks like a quiet one
_lock = threading.Lock()
_waiters: dict[str, set[threading.Event]] = defaultdict(set)
_listener: threading.Thread | None = None


def notify(topic: str) -> None:
    """Wake all waiters of the topic, in every process. Never raises."""
    try:
        client().publish(_CHANNEL, topic)
    except RedisUnavailable as error:
        log.warning("wakeup_not_sent", error=type(error).__name__)


class Waiter:
    """Listens for a topic from the moment it is made, so that no wakeup is missed.

    Use as a context manager: make it, read the database, then `wait`.
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
        """Wait for a wakeup; False when the time is up. May be called again."""
        is_woken = self._event.wait(timeout_s)
        self._event.clear()
        return is_woken


def _ensure_listener() -> None:
    global _listener
    with _lock:
        if _listener is None or not _listener.is_alive():
            _listener = threading.Thread(target=_listen, name="wakeups", daemon=True)
            _listener.start()


def _listen() -> None:
    while True:
        try:
            _listen_until_disconnected()
        except (redis.RedisError, OSError) as error:
            log.warning("wakeups_disconnected", error=type(error).__name__)
            time.sleep(0.5)


def _listen_until_disconnected() -> None:
    connection = redis.Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        socket_connect_timeout=TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
    )
    subscription = connection.pubsub()  # type: ignore[no-untyped-call]
    subscription.subscribe(_CHANNEL)
    is_pinged = False
    while True:
        message = subscription.get_message(timeout=_PING_EVERY_S)
        if message is None and is_pinged:
            raise redis.TimeoutError("no answer to a ping")
        if message is None:
            subscription.ping()
        elif message["type"] == "message":
            _wake(message["data"])
        is_pinged = message is None


def _wake(topic: str) -> None:
    with _lock:
        for event in _waiters.get(topic, ()):
            event.set()
