"""`manage.py repair_lots`: set wrong lots to their grants less their parts; dry without --apply."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.ledger import lot_repair


class Command(BaseCommand):
    """Repair lots."""

    help = (
        "Show lots that are not their grant less their parts, and what they would be set to."
        " --apply sets them where they then add up to the paid wallet; exit 1 with a list of"
        " what can't be explained, which is left unchanged."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept --apply."""
        parser.add_argument(
            "--apply", action="store_true", help="repair; without it nothing changes"
        )

    def handle(self, *, apply: bool, **_: Any) -> None:
        """Print each organization with wrong lots, and what was or would be done."""
        repaired = unexplained = 0
        for mismatch in lot_repair.run(is_dry=not apply):
            repaired += mismatch.is_explained
            unexplained += not mismatch.is_explained
            self._print(mismatch, outcome="set" if apply else "would set")
        outcome = "repaired" if apply else "to repair; --apply repairs them"
        self.stdout.write(f"Organizations {outcome}: {repaired}. Not explained: {unexplained}.")
        if unexplained:
            raise CommandError("What is not explained was left unchanged.")

    def _print(self, mismatch: lot_repair.LotMismatch, *, outcome: str) -> None:
        self.stdout.write(f"{mismatch.public_id}: {mismatch.paid} paid, {mismatch.in_lots} in lots")
        if not mismatch.is_explained:
            outcome = "not set"
            self.stdout.write(f"  not explained: grants less parts are {mismatch.recalculated}")
        for lot in mismatch.wrong:
            self.stdout.write(f"  {outcome}: {lot.reference} from {lot.left} to {lot.rest}")
