"""The day and the month of a moment, in UTC, as PostgreSQL works them out.

The zone stands in the text of the expression: as a parameter it would keep an index over the same
expression from being used.
"""

from typing import Any

from django.db.models import DateField, Func


class UtcDay(Func):
    """The day of a moment."""

    template = "(%(expressions)s AT TIME ZONE 'UTC')::date"
    output_field: Any = DateField()


class UtcMonth(Func):
    """The first day of a moment's month."""

    template = "date_trunc('month', %(expressions)s AT TIME ZONE 'UTC')::date"
    output_field: Any = DateField()
