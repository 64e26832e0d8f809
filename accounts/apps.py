"""Who people and agents are, and what they did."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from accounts.staff import groups


class AccountsConfig(AppConfig):
    """Who people and agents are, and what they did."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect what follows a new second factor, and what follows migrations."""
        import_module("accounts.sign_in.second_factor").connect_signals()
        post_migrate.connect(groups.sync, sender=self, dispatch_uid="accounts.staff_groups")
