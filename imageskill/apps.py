"""The project as a Django app: it owns what composes all others, and loads the Celery app."""

from django.apps import AppConfig

from imageskill import deploy_checks  # noqa: F401 (registers them)
from imageskill.celery import app as celery_app


class ImageSkillConfig(AppConfig):
    """Commands that set up an installation live here."""

    name = "imageskill"

    def ready(self) -> None:
        """Make our Celery app the one that every thread sends tasks by."""
        celery_app.set_default()
