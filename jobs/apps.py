"""Models, providers, jobs and the images they make."""

from django.apps import AppConfig
from django.core import checks

from jobs.registry.checks import check_registry


class JobsConfig(AppConfig):
    """Models, providers, jobs and the images they make."""

    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the registry checked before anything starts."""
        checks.register(check_registry)
