"""Searching a list: a pasted text against each of its columns, each by its own index."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

_ANY_CASE = "__iexact"


def matching(queryset: QuerySet[Any], search_fields: Sequence[str], text: str) -> QuerySet[Any]:
    """Narrow to rows of which one field is the text.

    One condition over several tables could not go by any index; a union of one look-up for each
    field goes by each field's own. What is compared in any case is stored in lower case.
    """
    rows = queryset.model._default_manager.order_by()
    found = [rows.filter(**_condition(name, text)).values("pk") for name in search_fields]
    return queryset.filter(pk__in=found[0].union(*found[1:]) if found[1:] else found[0])


def _condition(name: str, text: str) -> dict[str, Any]:
    if name.endswith(_ANY_CASE):
        return {f"{name.removesuffix(_ANY_CASE)}__in": [text, text.lower()]}
    return {name: text}
