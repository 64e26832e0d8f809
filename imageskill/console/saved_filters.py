"""Saved views: a list's filters under a name, for the user who set them."""

from typing import Any

from django.http import HttpRequest

from accounts.models import SavedFilter, User
from accounts.request_user import request_user

MAX_FILTERS = 20  # for one list; beyond it names stop helping
_NOT_A_FILTER = ("after", "before", "count", "e")  # the page one is on, and what Django adds


class TooManyFilters(Exception):
    """The user has the most saved views that a list may have."""


def for_list(user: User, model: str) -> list[SavedFilter]:
    """Return the user's saved views of a list, by name."""
    return list(SavedFilter.objects.filter(user=user, model=model)[:MAX_FILTERS])


def list_context(request: HttpRequest, model: str) -> dict[str, Any]:
    """Return one's saved filters of a list, and the filters in use, for the list's template."""
    in_use = request.GET.copy()
    for place in _NOT_A_FILTER:
        in_use.pop(place, None)
    return {
        "filters_model": model,
        "filters_in_use": in_use.urlencode(),
        "saved_filters": for_list(request_user(request), model),
    }


def save(*, user: User, model: str, name: str, query: str) -> SavedFilter:
    """Save the filters under this name; the same name again replaces them."""
    mine = SavedFilter.objects.filter(user=user, model=model)
    if mine.exclude(name=name).count() >= MAX_FILTERS:
        raise TooManyFilters(f"This list has {MAX_FILTERS} saved views. Delete one first.")
    kept, _ = SavedFilter.objects.update_or_create(
        user=user, model=model, name=name, defaults={"query": query}
    )
    return kept


def delete(*, user: User, model: str, name: str) -> None:
    """Delete one of the user's own views; do nothing where there is none."""
    SavedFilter.objects.filter(user=user, model=model, name=name).delete()
