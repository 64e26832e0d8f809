"""A system check: nothing starts with a registry that is broken."""

from typing import Any

from django.core.checks import CheckMessage, Error

from jobs.registry import catalog
from jobs.registry.loading import RegistryError


def check_registry(**_: Any) -> list[CheckMessage]:
    """Load the registry, so that a bad row stops the start instead of a caller."""
    try:
        catalog.load()
    except RegistryError as error:
        return [Error(f"The model registry is broken. {error}", id="jobs.E001")]
    return []
