"""Filters that narrow a list to a set that its model names, so that both mean the same rows."""

from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

YES = "yes"


class QuerySetFilter(SimpleListFilter):
    """Offers one set of rows, as `?<parameter_name>=yes`. The set needs an index of its own."""

    label: ClassVar[str]  # the set, in words
    queryset_method: ClassVar[str]  # the method of the QuerySet that gives it

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the set."""
        return [(YES, self.label)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the set, if it was chosen."""
        if self.value() != YES:
            return queryset
        narrowed: QuerySet[Any] = getattr(queryset, self.queryset_method)()
        return narrowed
