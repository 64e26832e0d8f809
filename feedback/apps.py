"""What agents report, and what became of it."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """What agents report, and what became of it."""

    name = "feedback"
    default_auto_field = "django.db.models.BigAutoField"
