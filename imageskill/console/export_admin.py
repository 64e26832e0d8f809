"""One's own long exports, waiting to be fetched."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display

from accounts.models import Export
from accounts.request_user import request_user
from imageskill.console import exporting
from imageskill.lib import clock
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import display_datetime


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """A file that was too long for a request."""

    view_permission = "accounts.export"
    empty_text = (
        "Lists of yours that are too long for XLSX would be here as CSV, each for a day. They are "
        "asked for above a list."
    )
    export_fields = (
        "model",
        "query",
        "state",
        "rows",
        "problem",
        "downloads",
        "created_at",
        "expires_at",
    )
    list_display = ("model", "state_shown", "rows_shown", "at", "until", "download")
    fields = (
        "model",
        "query",
        "state_shown",
        "rows_shown",
        "problem",
        "at",
        "until",
        "downloads",
        "download",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Show everybody their own."""
        own: QuerySet[Any] = super().get_queryset(request).filter(user=request.user)
        return own

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the file."""
        view = self.admin_site.admin_view(self.file)
        return [path("<int:pk>/file.csv", view, name="accounts_export_file"), *super().get_urls()]

    def file(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Return the file to who asked for it, until its time is over."""
        export = self.get_queryset(request).filter(pk=pk, expires_at__gt=clock.now()).first()
        if export is None or not export.storage_key or not self.has_view_permission(request):
            raise Http404
        name = f"{export.model}-{export.pk}.csv"
        return FileResponse(
            exporting.open_download(export, request_user(request)),
            as_attachment=True,
            filename=name,
        )

    @display(
        description="state",
        label={"ready": "success", "failed": "danger", "writing": "info", "waiting": "warning"},
    )
    def state_shown(self, export: Export) -> tuple[str, str]:
        if export.state == Export.State.FAILED:
            return export.state, f"failed: {export.problem or 'unknown'}; ask again"
        return export.state, export.get_state_display()

    @display(description="rows")
    def rows_shown(self, export: Export) -> str:
        is_under_way = export.state == Export.State.WRITING
        return f"{export.rows:,} so far" if is_under_way else f"{export.rows:,}"

    @display(description="asked")
    def at(self, export: Export) -> str:
        return display_datetime(export.created_at)

    @display(description="fetch until")
    def until(self, export: Export) -> str:
        return display_datetime(export.expires_at)

    @display(description="file")
    def download(self, export: Export) -> str:
        if not export.storage_key:
            return "–"
        url = reverse("admin:accounts_export_file", args=[export.pk])
        return format_html('<a href="{}">Download CSV</a>', url)
