"""Searching a list: a pasted text against each of its columns, each by its own index."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

_ANY_CASE = "__iexact"
_OWNER_ID = "__public_id__exact"
_CONTAINS = "__contains"  # of a column that holds several texts


def search(queryset: QuerySet[Any], search_fields: Sequence[str], text: str) -> QuerySet[Any]:
    """Narrow to rows of which one field is the text.

    The id of an owner (an agent, an organization) is looked up first: its rows, however many,
    come in the list's order by the owner's index. For the rest, one condition over several
    tables could not go by any index; a union of one look-up for each field goes by each
    field's own. What is compared in any case is stored in lower case.
    """
    owners = [name for name in search_fields if name.endswith(_OWNER_ID)]
    for owner in owners:
        name = owner.removesuffix(_OWNER_ID)
        related: Any = queryset.model._meta.get_field(name).related_model
        found = related._default_manager.filter(public_id=text).values_list("pk", flat=True).first()
        if found is not None:
            return queryset.filter(**{name: found})
    rows = queryset.model._default_manager.order_by()
    others = [name for name in search_fields if name not in owners]
    matches = [rows.filter(**_condition(name, text)).values("pk") for name in others]
    if not matches:
        return queryset.none()
    return queryset.filter(pk__in=matches[0].union(*matches[1:]) if matches[1:] else matches[0])


def _condition(name: str, text: str) -> dict[str, Any]:
    if name.endswith(_ANY_CASE):
        return {f"{name.removesuffix(_ANY_CASE)}__in": [text, text.lower()]}
    return {name: [text] if name.endswith(_CONTAINS) else text}
