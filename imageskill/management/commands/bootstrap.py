"""Bring an installation to where it can serve: tables up to date, somebody who may sign in."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandParser, call_command

from accounts.sign_in import first_admin


class Command(BaseCommand):
    """Safe to run at every start; groups and packs come with the migrations."""

    help = "Migrate the database and invite the first admin; safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the option."""
        words = "print a new password for the first admin, until one of them has a second factor"
        parser.add_argument("--invite", action="store_true", help=words)

    def handle(self, *, invite: bool = False, **_: Any) -> None:
        """Migrate, then print the first admin's address and password, where they are invited now.

        Once, unless asked: the output of a deployment is kept by those who run it.
        """
        call_command("migrate", interactive=False, verbosity=0)
        if not invite and first_admin.exists():
            return
        password = first_admin.invite(address=settings.ADMIN_EMAIL)
        if password:
            self.stdout.write(f"{settings.ADMIN_EMAIL} {password}")
