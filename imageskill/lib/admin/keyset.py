"""Lists that stay quick at any length: pages by key, counts that say when they are estimates."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from imageskill.lib.admin import active_filters

EXACT_COUNT_LIMIT = (
    1000  # rows; beyond it the planner's estimate has to do, unless exact is asked for
)
_OLDER, _NEWER, _COUNT = "after", "before", "count"


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows a list has."""

    number: int
    is_exact: bool

    def __str__(self) -> str:
        return f"{self.number:,}" if self.is_exact else f"about {self.number:,}"


def count_rows(queryset: QuerySet[Any], *, exactly: bool = False) -> RowCount:
    """Count the rows: to the last one if asked for or few, else by PostgreSQL's estimate."""
    rows = queryset.order_by()
    if exactly:
        return RowCount(rows.count(), is_exact=True)
    few = rows[: EXACT_COUNT_LIMIT + 1].count()
    if few <= EXACT_COUNT_LIMIT:
        return RowCount(few, is_exact=True)
    plan = json.loads(rows.explain(format="json"))
    return RowCount(max(int(plan[0]["Plan"]["Plan Rows"]), EXACT_COUNT_LIMIT + 1), is_exact=False)


def count_sets(querysets: Sequence[QuerySet[Any]]) -> list[int]:
    """Count sets of rows in one statement, each at most to one more than `EXACT_COUNT_LIMIT`."""
    parts: list[str] = []
    values: list[Any] = []
    for queryset in querysets:
        few = queryset.order_by().values("pk")[: EXACT_COUNT_LIMIT + 1]
        sql, given = few.query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS few)")  # noqa: S608 - a QuerySet's own
        values += given
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        return list(cursor.fetchone())


class KeysetChangeList(ChangeList):
    """A change list whose pages begin after a key, newest first; no OFFSET, no full count."""

    def __init__(self, request: HttpRequest, *args: Any, **options: Any) -> None:
        self.wants_exact_count = request.GET.get(_COUNT) == "exact"
        super().__init__(request, *args, **options)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Leave our own parameters out of what the filters see."""
        kept = super().get_filters_params(params)
        for name in (_OLDER, _NEWER, _COUNT):
            kept.pop(name, None)
        return kept

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """Newest first, always: the key is the order."""
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        """Load one page and whether there is more on either side."""
        size = self.list_per_page
        after, before = _parse_key(request, _OLDER), _parse_key(request, _NEWER)
        if before is not None:
            rows = list(self.queryset.filter(pk__gt=before).order_by("pk")[: size + 1])
            has_newer, has_older = len(rows) > size, True
            rows = rows[:size][::-1]
        else:
            older = self.queryset if after is None else self.queryset.filter(pk__lt=after)
            rows = list(older[: size + 1])
            has_newer, has_older = after is not None, len(rows) > size
            rows = rows[:size]
        self.total = count_rows(self.queryset, exactly=self.wants_exact_count)
        self.newer_url = self._page_url(_NEWER, rows[0].pk) if rows and has_newer else None
        self.older_url = self._page_url(_OLDER, rows[-1].pk) if rows and has_older else None
        self.active_filters = active_filters.get_active_filters(self)
        self.exact_url = None if self.total.is_exact else self.get_query_string({_COUNT: "exact"})
        self.result_list = rows
        self.result_count = self.total.number
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = bool(rows)
        self.can_show_all = False
        self.multi_page = bool(self.newer_url or self.older_url)
        self.paginator = KeysetPaginator(rows, size)

    def _page_url(self, name: str, key: int) -> str:
        other = _NEWER if name == _OLDER else _OLDER
        return self.get_query_string({name: key}, remove=[other])


class KeysetPaginator(Paginator):  # type: ignore[type-arg]
    """Only names the template; the change list has done the work."""

    template_name = "admin/keyset_pagination.html"


def _parse_key(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
