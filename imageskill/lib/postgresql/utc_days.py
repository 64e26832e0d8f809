"""The day and the month of a moment, in UTC, as PostgreSQL works them out.

The zone stands in the text of the expression: as a parameter it would keep an index over the same
expression from being used. Functions and no classes, so that the migration of such an index holds
that text and not a name whose meaning may change.
"""

from django.db.models import DateField, Func


def day_of(column: str) -> Func:
    """Return the expression of a moment's day."""
    return Func(
        column,
        template="(%(expressions)s AT TIME ZONE 'UTC')::date",
        output_field=DateField(),
    )


def month_of(column: str) -> Func:
    """Return the expression of the first day of a moment's month."""
    return Func(
        column,
        template="date_trunc('month', %(expressions)s AT TIME ZONE 'UTC')::date",
        output_field=DateField(),
    )
