"""`manage.py check_books`: exit 1 and a list if anything in the books is wrong."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.ledger import checks


class Command(BaseCommand):
    """Check the books."""

    help = "Check that every credit is where its history says; exit 1 with a list where not."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every check and say what is wrong."""
        problems = checks.find_problems(say=self.stderr.write)
        for problem in problems:
            self.stdout.write(f"{problem.check}: {problem.subject}: {problem.message}")
        if problems:
            raise CommandError(f"{len(problems)} problems in the books")
        self.stdout.write(self.style.SUCCESS("The books are in order."))
