"""Filters of lists that stay quick at any length."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import AllValuesFieldListFilter
from django.db import connection

# From one value to the next by the index, instead of reading every row to find the few there are.
_DISTINCT_SQL = """
WITH RECURSIVE found AS (
    (SELECT "{column}" AS value FROM "{table}" WHERE {where} ORDER BY "{column}" LIMIT 1)
    UNION ALL
    SELECT (SELECT "{column}" FROM "{table}" WHERE "{column}" > found.value AND {where}
             ORDER BY "{column}" LIMIT 1)
      FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value IS NOT NULL LIMIT %s
"""
MAX_VALUES = 200


class DistinctValuesFilter(AllValuesFieldListFilter):
    """Offers the values that are there, and says so where there are more than it offers.

    Its column needs an index that begins with it.
    """

    where = "TRUE"

    def __init__(self, field: Any, *args: Any, **options: Any) -> None:
        super().__init__(field, *args, **options)
        self._field = field
        self.lookup_choices = self._values()  # type: ignore[assignment]

    def _values(self) -> list[Any]:
        column = self._field.column
        where = self.where.format(column=column)
        names = {"table": self._field.model._meta.db_table, "column": column, "where": where}
        with connection.cursor() as cursor:
            cursor.execute(_DISTINCT_SQL.format(**names), [MAX_VALUES + 1])
            return [value for (value,) in cursor.fetchall()]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Offer all, then each value; at the end, where some are left out, how to get to them."""
        values = self.lookup_choices
        left_out = len(values) > MAX_VALUES
        self.lookup_choices = values[:MAX_VALUES]
        yield from super().choices(changelist)
        self.lookup_choices = values
        if left_out:
            name = self.lookup_kwarg
            yield {
                "selected": False,
                "query_string": changelist.get_query_string(
                    remove=[name, self.lookup_kwarg_isnull]
                ),
                "display": f"More than {MAX_VALUES}: add {name}= to the address",
            }


class NonEmptyValuesFilter(DistinctValuesFilter):
    """The same for a text that most rows leave empty, and an index of those that don't."""

    where = """"{column}" > ''"""
