"""Who people and agents are, and what they did."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who people and agents are, and what they did."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
