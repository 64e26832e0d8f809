"""Filters of the list of assets that go by their checks."""

from datetime import timedelta

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from imageskill.lib import clock
from jobs.models import Asset

_FAILED_RECENTLY = "failed_lately"


class CheckFilter(SimpleListFilter):
    """Narrows to images whose check failed within a day; Image review shows all."""

    title = "check"
    parameter_name = "check"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return the one choice."""
        return [(_FAILED_RECENTLY, "Failed within 24 h")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Asset]) -> QuerySet[Asset]:
        """Narrow where that was chosen."""
        if self.value() != _FAILED_RECENTLY:
            return queryset
        return queryset & Asset.objects.failed_check_since(clock.now() - timedelta(days=1))
