"""Handing work to the workers, by name and after commit."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

_SLOW_S, _PAUSE_S = 1.0, 5.0
_silent_until = 0.0

QUEUES = ("default", "jobs", "thumbnails")
# Of a process to the broker. A message takes two milliseconds, and threads wait for their turn.
CONNECTIONS = 2

Delivery = Callable[[str, dict[str, Any]], None]
_delivery: ContextVar[Delivery | None] = ContextVar("delivery", default=None)


def enqueue(name: str, **arguments: Any) -> None:
    """Send the task once this transaction has committed (at once where there is none).

    Never raises: a broker that is down is logged. The row in the database is the truth, and a
    sweeper sends what was lost. Arguments are ids and plain values only.
    """
    transaction.on_commit(lambda: _send(name, arguments), robust=True)


def send(name: str, **arguments: Any) -> None:
    """Send the task at once, without a look at the database; never raises, as `enqueue`."""
    _send(name, arguments)


def open_broker() -> None:
    """Connect to the broker as often as this process ever will, and declare the queues.

    At the first message that takes a tenth of a second for each connection, while callers wait.
    """
    current_app.backend  # noqa: B018 - reading it loads it
    try:
        with ExitStack() as taken:
            for _ in range(CONNECTIONS):
                producer = taken.enter_context(current_app.producer_pool.acquire(block=True))
                for name in QUEUES:
                    producer.maybe_declare(current_app.amqp.queues[name])
    except (OperationalError, OSError) as error:
        log.warning("broker_not_reached", error=type(error).__name__)


@contextmanager
def delivered_by(delivery: Delivery) -> Iterator[None]:
    """Return this thread's tasks to a function within the block, and none to the broker."""
    token = _delivery.set(delivery)
    try:
        yield
    finally:
        _delivery.reset(token)


def _send(name: str, arguments: dict[str, Any]) -> None:
    delivery = _delivery.get()
    if delivery is not None:
        delivery(name, arguments)
        return
    started_at = time.monotonic()
    try:
        with current_app.producer_pool.acquire(block=True) as producer:
            started_at = time.monotonic()  # after the wait, during which it may have fallen silent
            if started_at < _silent_until:
                log.warning("task_not_sent", task=name, error="broker silent a moment ago")
                return
            current_app.send_task(name, kwargs=arguments, ignore_result=True, producer=producer)
    except (OperationalError, OSError) as error:
        log.warning("task_not_sent", task=name, error=type(error).__name__)
        _pause_if_silent(started_at)


def _pause_if_silent(started_at: float) -> None:
    """Send nothing for a while to a broker that took its time to fail: each try holds a request."""
    global _silent_until
    now = time.monotonic()
    if now - started_at >= _SLOW_S:
        _silent_until = now + _PAUSE_S
