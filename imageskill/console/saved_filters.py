"""Keeping a list's filters under a name, for the person who set them."""

from accounts.models import SavedFilter, User

MAX_FILTERS = 20  # for one list; beyond it names stop helping


class TooManyFilters(Exception):
    """There are as many saved filters for this list as can be told apart."""


def for_list(user: User, model: str) -> list[SavedFilter]:
    """Return one's saved filters of a list, by name."""
    return list(SavedFilter.objects.filter(user=user, model=model)[:MAX_FILTERS])


def save(*, user: User, model: str, name: str, query: str) -> SavedFilter:
    """Keep the filters under this name; the same name again takes the new ones."""
    mine = SavedFilter.objects.filter(user=user, model=model)
    if mine.exclude(name=name).count() >= MAX_FILTERS:
        raise TooManyFilters(f"There are {MAX_FILTERS} already; forget one first.")
    kept, _ = SavedFilter.objects.update_or_create(
        user=user, model=model, name=name, defaults={"query": query}
    )
    return kept


def delete(*, user: User, model: str, name: str) -> None:
    """Forget one of one's own; nothing happens where there is none."""
    SavedFilter.objects.filter(user=user, model=model, name=name).delete()
