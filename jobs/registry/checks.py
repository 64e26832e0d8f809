"""A system check: a broken registry stops the start."""

from typing import Any

from django.core.checks import CheckMessage, Error

from jobs.registry import catalog
from jobs.registry.loading import RegistryError


def check_registry(**_: Any) -> list[CheckMessage]:
    """Load the registry and report what is wrong with it."""
    try:
        catalog.load()
    except RegistryError as error:
        return [Error(f"The model registry is broken. {error}", id="jobs.E001")]
    return []
