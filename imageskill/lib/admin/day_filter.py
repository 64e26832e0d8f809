"""A list's filter by days: a few spans that are often asked for, or any two days."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.admin import FieldListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from imageskill.lib import clock

_PRESETS = (("Today", 0), ("Past 7 days", 6), ("Past 30 days", 29))  # with today


class DayFilter(FieldListFilter):
    """Narrows to UTC days, `?<field>__gte=2026-01-31&<field>__lt=2026-02-28`; the latter not in.

    Its column needs an index that begins with it.
    """

    template = "admin/day_filter.html"

    def __init__(self, field: Any, request: HttpRequest, *given: Any, **named: Any) -> None:
        self.since, self.until = f"{named['field_path']}__gte", f"{named['field_path']}__lt"
        super().__init__(field, request, *given, **named)
        kept = request.GET.copy()
        for name in (self.since, self.until, "after", "before", "count", "e"):
            kept.pop(name, None)
        self.kept = list(kept.items())  # what a form of two days carries on

    def expected_parameters(self) -> list[str | None]:
        """Name both ends."""
        return [self.since, self.until]

    @property
    def first(self) -> str:
        """The first day, as it was asked for."""
        return self._asked(self.since)

    @property
    def end(self) -> str:
        """The day before which it ends, as it was asked for."""
        return self._asked(self.until)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the days that were asked for; what is no day narrows nothing."""
        days = {name: _parse_day(self._asked(name)) for name in (self.since, self.until)}
        return queryset.filter(**{name: at for name, at in days.items() if at is not None})

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Offer all, and the usual spans."""
        yield {
            "selected": not self.first and not self.end,
            "query_string": changelist.get_query_string(remove=[self.since, self.until]),
            "display": "All",
        }
        today = clock.utc_day(clock.now())
        for label, days in _PRESETS:
            first = f"{today - timedelta(days=days):%Y-%m-%d}"
            yield {
                "selected": (self.first, self.end) == (first, ""),
                "query_string": changelist.get_query_string(
                    {self.since: first}, remove=[self.until]
                ),
                "display": label,
            }

    def _asked(self, name: str) -> str:
        found = self.used_parameters.get(name) or ""
        return str(found[-1] if isinstance(found, list) else found)


def _parse_day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
    except ValueError:
        return None
