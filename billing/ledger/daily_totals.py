"""Counts daily totals of money and the sums of wallets; counting a day again replaces it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.db import connection, transaction

from billing.chart import Purpose
from billing.models import MoneyDay, WalletTotal
from imageskill.lib import clock

_TRANSFERS = """
INSERT INTO billing_moneyday (day, name, environment, count, credits, amount_cents)
SELECT %(day)s, transfer.kind, coalesce(receipt.environment, ''), count(*), sum(transfer.credits),
       -- What a reversal took of the payment: its credits at what was paid for each.
       coalesce(round(sum(transfer.credits::numeric * receipt.amount_cents / receipt.credits)), 0)
FROM billing_transfer transfer
LEFT JOIN billing_paymentreversal reversal ON reversal.public_id = transfer.reference
LEFT JOIN billing_receipt receipt ON receipt.id = reversal.receipt_id
WHERE transfer.created_at >= %(begin)s AND transfer.created_at < %(end)s
GROUP BY transfer.kind, receipt.environment
"""
_RECEIPTS = """
INSERT INTO billing_moneyday (day, name, environment, count, credits, amount_cents)
SELECT %(day)s, 'receipts', environment, count(*), sum(credits), sum(amount_cents)
FROM billing_receipt WHERE issued_at >= %(begin)s AND issued_at < %(end)s GROUP BY environment
"""

_WALLETS = """
INSERT INTO billing_wallettotal (purpose, credits, counted_at)
SELECT purpose, sum(balance), %(now)s FROM billing_wallet
GROUP BY purpose ORDER BY purpose  -- in one order, so that two at once don't deadlock
ON CONFLICT (purpose) DO UPDATE SET credits = excluded.credits, counted_at = excluded.counted_at
"""


class WalletTotals(NamedTuple):
    """Credits in all wallets by purpose, as of a moment; no moment: never counted."""

    credits: dict[str, int]
    counted_at: datetime | None

    @property
    def outstanding(self) -> int:
        """Deferred revenue in credits: paid credits, and those that running jobs hold."""
        return self.credits[Purpose.PAID] + self.credits[Purpose.HELD]


def count_day(day: date) -> None:
    """Count one UTC day; replaces what was counted for it before."""
    begin = datetime.combine(day, time.min, tzinfo=UTC)
    window = {"day": day, "begin": begin, "end": begin + timedelta(days=1)}
    with transaction.atomic(), connection.cursor() as cursor:
        # Two at once would each insert the day's rows; the later one waits and counts again.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('billing.tally'))")
        MoneyDay.objects.filter(day=day).delete()
        cursor.execute(_TRANSFERS, window)
        cursor.execute(_RECEIPTS, window)


def count_wallets() -> None:
    """Store the sums of all wallets, by purpose."""
    with connection.cursor() as cursor:
        cursor.execute(_WALLETS, {"now": clock.now()})


def wallet_totals() -> WalletTotals:
    """Return the sums of all wallets by purpose, as of the last count."""
    rows = list(WalletTotal.objects.all())
    counted = {row.purpose: row.credits for row in rows}
    return WalletTotals(
        {purpose.value: counted.get(purpose.value, 0) for purpose in Purpose},
        min((row.counted_at for row in rows), default=None),
    )
