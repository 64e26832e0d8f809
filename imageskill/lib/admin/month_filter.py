"""A list's filter by month, and by the days of the month that was chosen; both in UTC."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from imageskill.lib import clock
from imageskill.lib.postgresql.utc_days import day_of, month_of

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?")


class MonthFilter(SimpleListFilter):
    """Narrows to `?<parameter_name>=2026-03` or `=2026-03-05`; what is neither narrows nothing.

    Needs an index over `month_of(column)` and one over `day_of(column)`, each in the list's order:
    what was long ago is found as quickly as what is new.
    """

    column: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer each month since the first row, and each day of the one that was chosen."""
        first = model_admin.model.objects.order_by("pk").values_list(self.column, flat=True).first()
        return list(_month_choices(first, self._chosen())) if first else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the month or the day."""
        month, day = self._chosen()
        if day:
            return queryset.alias(utc_day=day_of(self.column)).filter(utc_day=day)
        if month:
            return queryset.alias(utc_month=month_of(self.column)).filter(utc_month=month)
        return queryset

    def _chosen(self) -> tuple[date | None, date | None]:
        """Return the first day of the month that was asked for, and the day, if it was one."""
        found = _MONTH.fullmatch(self.value() or "")
        if found is None:
            return None, None
        year, month, day = (int(part or 0) for part in found.groups())
        try:
            return date(year, month, 1), date(year, month, day) if day else None
        except ValueError:
            return None, None


def _month_choices(
    first: datetime, chosen: tuple[date | None, date | None]
) -> Iterator[tuple[str, str]]:
    today = clock.utc_day(clock.now())
    month = today.replace(day=1)
    while month >= clock.utc_day(first).replace(day=1):
        yield f"{month:%Y-%m}", f"{month:%B %Y}"
        if month == chosen[0]:
            for day in _days(month, today):
                yield f"{day:%Y-%m-%d}", f"{day:%A, %-d %B}"
        month = (month - timedelta(days=1)).replace(day=1)


def _days(month: date, today: date) -> Iterator[date]:
    day = month
    while day.month == month.month and day <= today:
        yield day
        day += timedelta(days=1)
