"""Bases of the console's admin classes."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin

from imageskill.lib.admin import exact_search
from imageskill.lib.admin.actions_mixin import ActionsMixin
from imageskill.lib.admin.displays import DisplayMixin
from imageskill.lib.admin.exports import ExportMixin
from imageskill.lib.admin.keyset import KeysetChangeList


class ConsoleAdmin(ActionsMixin, ExportMixin, DisplayMixin, ModelAdmin):
    """A model in the console: paged by key, with actions instead of free editing.

    What needs to know an app comes from the site: `export_permission`, `record_export` and
    `list_context`.
    """

    view_permission: ClassVar[str]  # the permission that shows this model; nothing else does
    empty_text: ClassVar[str] = ""  # what would be in the list, and how it gets there
    list_per_page = 50
    show_full_result_count = False
    sortable_by: ClassVar[Sequence[str]] = ()
    list_filter_submit = False
    list_fullwidth = True
    actions = None
    view_on_site = False
    empty_value_display = "–"
    list_before_template = "admin/list_before.html"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show to whoever has the permission."""
        return request.user.has_perm(self.view_permission)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """List where it can be seen."""
        return self.has_view_permission(request)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[KeysetChangeList]:
        """Page by key."""
        return KeysetChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look a pasted text up in each search field, each by its index."""
        text = search_term.strip()
        if not text or not self.search_fields:
            return queryset, False
        return exact_search.search(queryset, self.search_fields, text), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list under its name in the sidebar, with what the site adds to each list."""
        title = capfirst(self.model._meta.verbose_name_plural)
        context = self.admin_site.list_context(request, self.model._meta.label_lower)
        return super().changelist_view(
            request, {"title": title, **context, **(extra_context or {})}
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer 404: what was done stands in the audit log, and Django's log is not written.

        Its page would tell staff without a role which ids exist.
        """
        raise Http404


class ReadOnlyAdmin(ConsoleAdmin):
    """A model that staff may look at, and change by its actions alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes by hand."""
        return False
