"""Models, providers, jobs and the images they make."""

from django.apps import AppConfig
from django.core import checks

from imageskill.lib import secrets
from jobs.providers.vendors import VENDORS
from jobs.registry.checks import check_registry


class JobsConfig(AppConfig):
    """Models, providers, jobs and the images they make."""

    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Check the registry at start, and keep vendors' keys out of logs."""
        checks.register(check_registry)
        for vendor in VENDORS.values():
            if vendor.key_pattern:
                secrets.register(vendor.name, vendor.key_pattern)
