"""Finance's calendar: a month, a quarter, a year or a range of days, and the period before it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from imageskill.console.charts import day_label

MAX_DAYS = 3660
DEFAULT_DAYS = 30
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_YEAR = re.compile(r"\d{4}")
_DAYS = re.compile(r"[1-9]\d{0,3}")


class InvalidPeriod(Exception):
    """The request names no period; the message says how to write one."""


@dataclass(frozen=True, slots=True)
class Period:
    """The UTC days from `first` to `last`, both included, and how a link asks for them."""

    first: date
    last: date
    label: str
    query: str

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


def parse(query: Mapping[str, str], *, today: date) -> Period:
    """Return the period that a request asks for; without one, the last thirty days.

    Raises InvalidPeriod.
    """
    for name, read in (("month", _month), ("quarter", _quarter), ("year", _year)):
        if query.get(name):
            return read(query[name])
    if query.get("from") or query.get("until"):
        return _range(query.get("from", ""), query.get("until", ""))
    return last_days(query.get("days") or str(DEFAULT_DAYS), today=today)


def last_days(text: str, *, today: date) -> Period:
    """Return the last so many days, today included."""
    if not _DAYS.fullmatch(text):
        raise InvalidPeriod("Enter a number of days from 1 to 3660.")
    days = min(int(text), MAX_DAYS)
    first = today - timedelta(days=days - 1)
    return Period(first, today, f"Last {days} days", f"days={days}")


def before(period: Period) -> Period:
    """Return the period before: the month before a month, as many days before a range."""
    kind, _, text = period.query.partition("=")
    last = period.first - timedelta(days=1)
    if kind == "month":
        return _month(f"{last:%Y-%m}")
    if kind == "quarter":
        return _quarter(f"{last.year}-Q{(last.month + 2) // 3}")
    if kind == "year":
        return _year(f"{int(text) - 1}")
    first = last - timedelta(days=period.days - 1)
    return _range(first.isoformat(), last.isoformat())


def recent(*, today: date) -> list[Period]:
    """Return what the page offers as links: this and the last month, quarter and year."""
    month = _month(f"{today:%Y-%m}")
    quarter = _quarter(f"{today.year}-Q{(today.month + 2) // 3}")
    year = _year(f"{today.year}")
    return [month, before(month), quarter, before(quarter), year, before(year)]


def _month(text: str) -> Period:
    match = _MONTH.fullmatch(text)
    first = _day(f"{text}-01") if match else None
    if first is None:
        raise InvalidPeriod("Enter a month such as 2026-10.")
    return Period(first, _end_of(first, months=1), f"{first:%b %Y}", f"month={text}")


def _quarter(text: str) -> Period:
    match = _QUARTER.fullmatch(text)
    first = _day(f"{match[1]}-{int(match[2]) * 3 - 2:02}-01") if match else None
    if match is None or first is None:
        raise InvalidPeriod("Enter a quarter such as 2026-Q3.")
    return Period(first, _end_of(first, months=3), f"Q{match[2]} {match[1]}", f"quarter={text}")


def _year(text: str) -> Period:
    first = _day(f"{text}-01-01") if _YEAR.fullmatch(text) else None
    if first is None:
        raise InvalidPeriod("Enter a year such as 2026.")
    return Period(first, date(first.year, 12, 31), text, f"year={text}")


def _range(begin: str, end: str) -> Period:
    first, last = _day(begin), _day(end)
    if first is None or last is None or last < first:
        raise InvalidPeriod("Enter two days such as 2026-10-01, the earlier one first.")
    if (last - first).days >= MAX_DAYS:
        raise InvalidPeriod("A range has at most 3660 days.")
    label = f"{day_label(first)}, {first.year} to {day_label(last)}, {last.year}"
    return Period(first, last, label, f"from={first}&until={last}")


def _end_of(first: date, *, months: int) -> date:
    after = first.month - 1 + months
    return date(first.year + after // 12, after % 12 + 1, 1) - timedelta(days=1)


def _day(text: str) -> date | None:
    """Return a day far enough from the calendar's ends to have periods beside it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2999 else None
