"""Connections around long calls: released before, none in a transaction, retried after."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

log = structlog.get_logger(__name__)

_RETRY_FOR_S = 120.0
_PAUSE_S = 0.5
_COMMIT_KNOWN_WITHIN_S = 15.0  # a restarted database is back by then; a caller waits meanwhile

T = TypeVar("T")
_is_allowed: ContextVar[bool] = ContextVar("calls_allowed_in_transaction", default=False)


def now() -> datetime:
    """Return the moment by the database's clock: the same for all processes.

    For moments that are compared to decide something; inside a transaction it goes on, too.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def release_connection() -> None:
    """Return this thread's connection to the pool; the next query takes one again.

    Whoever waits for a provider or a worker must not hold one: a few dozen waiters would leave
    none for all others. Inside a transaction it does nothing.
    """
    if not connection.in_atomic_block:
        connection.close()


def forbid_in_transaction(vendor: str) -> None:
    """Raise RuntimeError in a transaction: a call over the network would hold its locks.

    The transaction that Django's TestCase puts around a test does not count.
    """
    blocks = connection.atomic_blocks
    is_test = all(getattr(block, "_from_testcase", False) for block in blocks)
    if not is_test and not _is_allowed.get():
        raise RuntimeError(f"{vendor} must not be called inside a transaction.")


@contextmanager
def calls_allowed_in_transaction() -> Iterator[None]:
    """Allow vendors to be called in a transaction within the block, for the demo history alone.

    Its vendors are stand-ins in the same process.
    """
    token = _is_allowed.set(True)
    try:
        yield
    finally:
        _is_allowed.reset(token)


def retry_on_disconnect(function: Callable[[], T], *, for_s: float = _RETRY_FOR_S) -> T:
    """Call a function again while the database is gone, for two minutes by default (ADR 12).

    For what a provider answered, which can't be asked again. The function must be idempotent, as
    its first call may have been committed before the connection broke.
    """
    give_up_at = time.monotonic() + for_s
    while True:
        try:
            return function()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() >= give_up_at:
                raise
            log.warning("database_gone", error=type(error).__name__)
            release_connection()
            time.sleep(_PAUSE_S)


def is_committed(exists: Callable[[], bool]) -> bool:
    """Return whether a transaction that was cut off at its commit is committed, by its row.

    Raises `OperationalError` or `InterfaceError` where the database stays away: nobody knows.
    """
    release_connection()
    return retry_on_disconnect(exists, for_s=_COMMIT_KNOWN_WITHIN_S)
