"""`manage.py check_books`: run the ledger checks; exit 1 and a list of the errors, if any."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.ledger import checks


class Command(BaseCommand):
    """Run the ledger checks."""

    help = "Check that every credit is where its history says; exit 1 with a list where not."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the option."""
        parser.add_argument(
            "--incremental",
            action="store_true",
            help="check what changed since the last run, if that was clean",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every check and print the errors."""
        since = checks.last_clean_run() if options["incremental"] else None
        problems = checks.find_problems(say=self.stderr.write, since=since)
        for problem in problems:
            self.stdout.write(f"{problem.check}: {problem.subject}: {problem.message}")
        if problems:
            raise CommandError(f"{len(problems)} ledger errors")
        self.stdout.write(self.style.SUCCESS("No errors found."))
