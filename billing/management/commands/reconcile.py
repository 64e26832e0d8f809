"""`manage.py reconcile`: compare Stripe's balance with the ledger, day by day."""

from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.models import ReconciledDay
from billing.reconciliation import run
from billing.stripe import gateway
from imageskill.lib import clock
from imageskill.lib.amounts import format_amount


class Command(BaseCommand):
    """Reconcile with Stripe."""

    help = "Compare Stripe's balance transactions with receipts, reversals and the ledger."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the days."""
        parser.add_argument("--since", type=date.fromisoformat, help="first UTC day (2026-01-31)")
        parser.add_argument("--until", type=date.fromisoformat, help="last UTC day; today")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reconcile one day after the other; print the progress and each day's figures."""
        if not gateway.is_configured():
            raise CommandError("Stripe is not configured; there is nothing to compare with.")
        until = options["until"] or clock.utc_day(clock.now())
        since = options["since"] or until - timedelta(days=6)
        days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
        for number, day in enumerate(days, start=1):
            self.stderr.write(f"{day}: reading from Stripe ({number} of {len(days)})")
            [row] = run.run(since=day, until=day).days
            self.stdout.write(f"{day}: {_describe(row)}")


def _describe(row: ReconciledDay) -> str:
    sides = {
        "payments": (row.stripe_payments_cents, row.receipts_cents),
        "refunds": (row.stripe_refunds_cents, row.refunds_cents),
        "disputes": (row.stripe_disputes_cents, row.disputes_cents),
    }
    parts = [
        f"{name} {format_amount(stripe)} at Stripe, {format_amount(ledger)} here"
        for name, (stripe, ledger) in sides.items()
    ]
    return "; ".join([*parts, f"open discrepancies {row.open_differences}"])
