"""Who people and agents are, and what they did."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who people and agents are, and what they did."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear of second factors, once there are models."""
        import_module("accounts.second_factor").listen()
