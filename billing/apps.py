"""Credits: the ledger, purchases, refunds and disputes."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from billing import house_wallets


class BillingConfig(AppConfig):
    """Credits: the ledger, purchases, refunds and disputes."""

    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Sync the house's wallets after each migration."""
        post_migrate.connect(house_wallets.sync, sender=self, dispatch_uid="billing.house_wallets")
