"""Reports of agents: intake, triage, and the way to GitHub."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """Reports of agents: intake, triage, and the way to GitHub."""

    name = "feedback"
    default_auto_field = "django.db.models.BigAutoField"
