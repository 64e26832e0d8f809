"""Count the figures of past days and all wallets anew, for charts and position."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.ledger import daily_totals as money
from imageskill.lib import clock
from jobs.running import daily_totals as work


class Command(BaseCommand):
    """Counts day by day and says how far it is; may be stopped and run again at any time."""

    help = "Count the figures of the last days anew."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("--days", type=int, default=90)

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        """Count each day, oldest first."""
        today = clock.utc_day(clock.now())
        for back in range(days, -1, -1):
            which = today - timedelta(days=back)
            work.count_day(which)
            money.count_day(which)
            self.stderr.write(f"\r{which} ({days - back + 1} of {days + 1})", ending="")
        money.count_wallets()
        self.stderr.write("")
