"""Bring an installation to where it can serve: tables up to date, somebody who may sign in."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, call_command

from accounts.sign_in import first_admin


class Command(BaseCommand):
    """Safe to run at every start; groups and packs come with the migrations."""

    help = "Migrate the database and invite the first admin; safe to repeat."

    def handle(self, **_: Any) -> None:
        """Migrate, then print the admin's address and password while there is one to print."""
        call_command("migrate", interactive=False, verbosity=0)
        password = first_admin.invite(address=settings.ADMIN_EMAIL)
        if password:
            self.stdout.write(f"{settings.ADMIN_EMAIL} {password}")
