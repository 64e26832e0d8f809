"""Credits: the ledger, buying them, and taking them back."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Credits: the ledger, buying them, and taking them back."""

    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"
