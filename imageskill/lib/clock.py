"""Time: aware, UTC, and written with milliseconds and a Z."""

from datetime import UTC, date, datetime, time, timedelta


def now() -> datetime:
    """Read the clock, aware and in UTC."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """Write a moment as the contract does: `2026-01-02T03:04:05.678Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(moment: datetime | None) -> str | None:
    """Write a moment that may be missing."""
    return None if moment is None else iso(moment)


def utc_day(moment: datetime) -> date:
    """Give the UTC calendar day that daily limits count by."""
    return moment.astimezone(UTC).date()


def next_utc_midnight(moment: datetime) -> datetime:
    """Give the moment at which the day's limits turn."""
    return datetime.combine(utc_day(moment) + timedelta(days=1), time.min, tzinfo=UTC)
