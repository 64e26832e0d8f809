"""Today: the console's first page, with only what this person's duties show."""

from typing import Any

from django.http import HttpRequest


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of the index page what needs somebody, then how it goes."""
    return context
