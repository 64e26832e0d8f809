"""`manage.py reconcile`: Stripe's balance against ours, day by day."""

from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.reconciliation import run
from billing.stripe import gateway
from imageskill.lib import clock


class Command(BaseCommand):
    """Reconcile with Stripe."""

    help = "Compare Stripe's balance transactions with receipts, reversals and the ledger."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the days."""
        parser.add_argument("--since", type=date.fromisoformat, help="first UTC day (2026-01-31)")
        parser.add_argument("--until", type=date.fromisoformat, help="last UTC day; today")

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through the days one at a time, say how far it is, print how each stands."""
        if not gateway.is_configured():
            raise CommandError("Stripe is not configured; there is nothing to compare with.")
        until = options["until"] or clock.utc_day(clock.now())
        since = options["since"] or until - timedelta(days=6)
        days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
        for number, day in enumerate(days, start=1):
            self.stderr.write(f"{day}: reading from Stripe ({number} of {len(days)})")
            [row] = run.run(since=day, until=day).days
            self.stdout.write(
                f"{day}: payments {row.stripe_payments_cents} at Stripe, {row.receipts_cents} here;"
                f" refunds {row.stripe_refunds_cents}, {row.refunds_cents};"
                f" disputes {row.stripe_disputes_cents}, {row.disputes_cents};"
                f" open differences {row.open_differences}"
            )
