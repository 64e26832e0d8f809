"""Credits: the ledger, buying them, and taking them back."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from billing import house_wallets


class BillingConfig(AppConfig):
    """Credits: the ledger, buying them, and taking them back."""

    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect what follows migrations."""
        post_migrate.connect(house_wallets.sync, sender=self, dispatch_uid="billing.house_wallets")
