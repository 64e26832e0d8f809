"""Time: aware, UTC, and written with milliseconds and a Z.

`now` is the one source of every moment that is stored or compared with a stored one, the models'
defaults included. It follows the database's clock where the machine's is off: an hour's difference
would end the jobs of others. The age of a vendor's signature is measured by `time.time()`: what it
is compared with is not ours.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta

import structlog

log = structlog.get_logger(__name__)


TOLERANCE_S = 1.0
"""What clocks may differ by before the machine's is corrected."""
_correction = timedelta()


def machine_time() -> datetime:
    """Return the machine's own time, right or wrong."""
    return datetime.now(UTC)


def _system_time() -> datetime:
    return machine_time() + _correction


def follow(reference: datetime, *, read_at: datetime) -> None:
    """Correct `now` where the machine's time `read_at` was not the reference's."""
    global _correction
    difference = reference - read_at
    wanted = difference if abs(difference.total_seconds()) > TOLERANCE_S else timedelta()
    if abs((wanted - _correction).total_seconds()) > TOLERANCE_S / 2:
        seconds = round(wanted.total_seconds(), 1)
        log.warning("clock_corrected", seconds=seconds, advice="Run a time service, such as NTP.")
        _correction = wanted


def correction_s() -> float:
    """Return by how many seconds the machine's clock is corrected; 0 where it is right."""
    return _correction.total_seconds()


_source: ContextVar[Callable[[], datetime]] = ContextVar("clock", default=_system_time)


def now() -> datetime:
    """Return the present moment, aware and in UTC."""
    return _source.get()()


@contextmanager
def at(moment: datetime | Callable[[], datetime]) -> Iterator[None]:
    """Make `now` return another moment within the block; for the demo history and tests only.

    A datetime stops the clock at that moment. A function is called for each reading and moves the
    clock; a `now` inside it reads the clock around the block, so that
    `at(lambda: now() + timedelta(days=1))` is always a day ahead. Blocks may be nested, and each
    leaves the clock as it was. It holds for this thread or task alone: a thread that is started
    within the block reads the system's time. Raises ValueError for a moment without a zone.
    """
    token = _source.set(_moving(moment) if callable(moment) else _stopped(moment))
    try:
        yield
    finally:
        _source.reset(token)


def _stopped(moment: datetime) -> Callable[[], datetime]:
    in_utc = _in_utc(moment)
    return lambda: in_utc


def _moving(moment: Callable[[], datetime]) -> Callable[[], datetime]:
    outer = _source.get()

    def read() -> datetime:
        token = _source.set(outer)
        try:
            return _in_utc(moment())
        finally:
            _source.reset(token)

    return read


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC)


def iso(moment: datetime) -> str:
    """Write a moment as the contract does: `2026-01-02T03:04:05.678Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(moment: datetime | None) -> str | None:
    """Write a moment that may be missing."""
    return None if moment is None else iso(moment)


def utc_day(moment: datetime) -> date:
    """Return the UTC calendar day that daily limits count by."""
    return moment.astimezone(UTC).date()


def next_utc_midnight(moment: datetime) -> datetime:
    """Return the moment at which the day's limits reset."""
    return datetime.combine(utc_day(moment) + timedelta(days=1), time.min, tzinfo=UTC)
