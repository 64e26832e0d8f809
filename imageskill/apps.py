"""The project as a Django app: it owns what composes all others, and loads the Celery app."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

from imageskill import deploy_checks  # noqa: F401 (registers them)
from imageskill.celery import app as celery_app
from imageskill.lib.postgresql import session_settings


class ImageSkillConfig(AppConfig):
    """Commands that set up an installation live here."""

    name = "imageskill"

    def ready(self) -> None:
        """Make our Celery app every thread's; let the database follow the code after `migrate`."""
        celery_app.set_default()
        # Once, after the app that has no other before it; this one has no tables of its own.
        post_migrate.connect(session_settings.sync, sender=apps.get_app_config("accounts"))
