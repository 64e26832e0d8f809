"""Models, providers, jobs and the pictures they make."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Models, providers, jobs and the pictures they make."""

    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"
