"""Counting what money did, a day at a time; counting again gives the same."""

from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction

from billing.models import MoneyDay

_TRANSFERS = """
INSERT INTO billing_moneyday (day, name, environment, count, credits, amount_cents)
SELECT %(day)s, kind, '', count(*), sum(credits), 0
FROM billing_transfer WHERE created_at >= %(begin)s AND created_at < %(end)s GROUP BY kind
"""
_RECEIPTS = """
INSERT INTO billing_moneyday (day, name, environment, count, credits, amount_cents)
SELECT %(day)s, 'receipts', environment, count(*), sum(credits), sum(amount_cents)
FROM billing_receipt WHERE issued_at >= %(begin)s AND issued_at < %(end)s GROUP BY environment
"""


def day(which: date) -> None:
    """Count one UTC day anew; what was counted for it before is replaced."""
    begin = datetime.combine(which, time.min, tzinfo=UTC)
    window = {"day": which, "begin": begin, "end": begin + timedelta(days=1)}
    with transaction.atomic(), connection.cursor() as cursor:
        # Two at once would count into each other; the later one waits and counts again.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('billing.tally'))")
        MoneyDay.objects.filter(day=which).delete()
        cursor.execute(_TRANSFERS, window)
        cursor.execute(_RECEIPTS, window)
