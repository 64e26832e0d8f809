"""What a list is narrowed to by its address alone: in words, each with the way to take it off."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.safestring import SafeString

from imageskill.lib.admin.formatting import object_link

_PAGING_PARAMETERS = (
    "after",
    "before",
    "count",
)  # on which page one is, which a wider list begins anew
_COMPARISONS = {"gte": "from", "gt": "after", "lte": "until", "lt": "before"}
_ID_LOOKUPS = {"", "exact", "id", "id__exact", "pk", "pk__exact"}


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """One condition of the address, and the address without it."""

    label: str
    value: SafeString | str
    without: str


def get_active_filters(changelist: Any) -> list[ActiveFilter]:
    """Return the conditions that no filter of the list shows."""
    return [
        ActiveFilter(
            _label(changelist.model, name),
            _value(changelist.model, name, values[-1]),
            changelist.get_query_string(remove=[name, *_PAGING_PARAMETERS]),
        )
        for name, values in _conditions(changelist)
    ]


def _conditions(changelist: Any) -> Iterator[tuple[str, list[str]]]:
    shown = {
        name
        for filter_spec in changelist.filter_specs
        for name in filter_spec.expected_parameters()
        if name is not None
    }
    for name, values in changelist.get_filters_params().items():
        if name not in shown and values:
            yield name, values


def _label(model: type[Model], name: str) -> str:
    first, *rest = name.split("__")
    try:
        field = model._meta.get_field(first)
    except FieldDoesNotExist:
        return first
    words = str(getattr(field, "verbose_name", first))
    compared = _COMPARISONS.get(rest[-1] if rest else "")
    return f"{words} {compared}" if compared else words


def _value(model: type[Model], name: str, text: str) -> SafeString | str:
    """Name and link the row that an id stands for; give anything else as it is written."""
    first, _, rest = name.partition("__")
    try:
        field = model._meta.get_field(first)
    except FieldDoesNotExist:
        return text
    if not (field.is_relation and rest in _ID_LOOKUPS and text.isdecimal()):
        return text
    related: Any = field.related_model
    found = related._default_manager.filter(pk=text).first()
    return object_link(found) if found else f"no. {text}"
