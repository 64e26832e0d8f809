"""How many rows several lists have, in one statement that counts none of them too far."""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from imageskill.lib.admin.keyset import EXACT_COUNT_LIMIT


def count_lists(lists: Mapping[str, QuerySet[Any]]) -> dict[str, str]:
    """Return each list's count by its name: exact up to a thousand, "over 1,000" beyond."""
    if not lists:
        return {}
    parts, params = [], []
    for name, rows in lists.items():
        bounded = rows.order_by().values("pk")[: EXACT_COUNT_LIMIT + 1]
        sql, values = bounded.query.sql_with_params()
        parts.append(f"SELECT %s, count(*) FROM ({sql}) AS rows")  # noqa: S608 - Django wrote it
        params += [name, *values]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        return {name: _format_count(count) for name, count in cursor.fetchall()}


def _format_count(count: int) -> str:
    return f"{count:,}" if count <= EXACT_COUNT_LIMIT else f"over {EXACT_COUNT_LIMIT:,}"
