"""Downloading exactly what a list shows."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import flatten, flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import BinaryField, JSONField, Model, QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path, reverse

from imageskill.lib import clock
from imageskill.lib.admin import keyset, spreadsheets

FORMATS = ("csv", "xlsx")
MAX_XLSX_ROWS = 50_000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHUNK_ROWS = 2000
_NEVER_EXPORTED = ("password", "digest", "secret", "key", "lease", "lookup", "token")


class ExportMixin:
    """Adds CSV and XLSX of the filtered list to an admin class.

    CSV streams at any size. XLSX comes at once up to 50,000 rows; beyond that a worker writes the
    rows as CSV, which can be fetched for a while. The site's `exports` knows of each: it notes who
    took what (`note`) and has long ones written (`ask`).
    """

    export_permission = "accounts.export"
    export_fields: Sequence[str] = ()  # empty: the columns that list and page show by name
    model: type[Model]

    def export_urls(self) -> list[URLPattern]:
        """Return the addresses of the downloads."""
        opts = self.model._meta
        view = self.admin_site.admin_view(self.export_view)  # type: ignore[attr-defined]
        return [
            path(
                f"export.{kind}",
                view,
                {"kind": kind},
                name=f"{opts.app_label}_{opts.model_name}_export_{kind}",
            )
            for kind in FORMATS
        ]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Answer with the filtered list as a file."""
        if not self.may_export(request):
            raise PermissionDenied
        rows = self.filtered(request)
        if kind == "xlsx" and rows.order_by()[: MAX_XLSX_ROWS + 1].count() > MAX_XLSX_ROWS:
            return self._later(request)
        self._note(request, kind, rows)
        name = f"{self.model._meta.verbose_name_plural}-{clock.now():%Y%m%d-%H%M%S}.{kind}"
        if kind == "csv":
            lines = spreadsheets.csv_lines(self.export_header(), self.export_rows(rows))
            response: HttpResponseBase = StreamingHttpResponse(
                lines, content_type="text/csv; charset=utf-8"
            )
        else:
            content = spreadsheets.build_xlsx(self.export_header(), self.export_rows(rows))
            response = HttpResponse(content, content_type=_XLSX)
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response

    def may_export(self, request: HttpRequest) -> bool:
        """Return whether the person may see the list and download what it shows."""
        may_see: bool = self.has_view_permission(request)  # type: ignore[attr-defined]
        return may_see and request.user.has_perm(self.export_permission)

    def filtered(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the list as its filters and search narrow it, on all pages."""
        queryset: QuerySet[Any] = self.get_changelist_instance(request).queryset  # type: ignore[attr-defined]
        return queryset

    def export_columns(self) -> list[str]:
        """Name what is read: only what was chosen for export, or is on the list or the page.

        Never all columns: a password's hash or a token's digest is a column too.
        """
        if self.export_fields:
            return list(self.export_fields)
        shown = {*self.list_display, *_page_columns(self)}  # type: ignore[attr-defined]
        return [
            field.attname
            for field in self.model._meta.concrete_fields
            if shown & {field.name, field.attname}
            and not isinstance(field, JSONField | BinaryField)
            and not is_never_exported(field.attname)
        ]

    def export_header(self) -> list[str]:
        """Name the columns for who reads them."""
        return [
            name.removesuffix("__public_id").replace("__", "_") for name in self.export_columns()
        ]

    def export_rows(self, rows: QuerySet[Any]) -> Iterator[Sequence[Any]]:
        """Read the rows a few thousand at a time."""
        plain = rows.select_related(None).prefetch_related(None)
        return plain.values_list(*self.export_columns()).iterator(chunk_size=_CHUNK_ROWS)

    def _later(self, request: HttpRequest) -> HttpResponse:
        exports = self._exports
        try:
            exports.ask(**self._what(request))
        except exports.TooLong as refusal:
            messages.error(request, str(refusal))
            opts = self.model._meta
            listed = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
            return HttpResponseRedirect(f"{listed}?{request.GET.urlencode()}")
        messages.info(
            request,
            f"XLSX ends at {MAX_XLSX_ROWS:,} rows and this list has more: a worker writes all of "
            "them as CSV. The file will wait here for a day.",
        )
        return HttpResponseRedirect(reverse("admin:accounts_export_changelist"))

    def _note(self, request: HttpRequest, kind: str, rows: QuerySet[Any]) -> None:
        """Note the download before it begins: one that breaks off took rows as well."""
        found = keyset.count_rows(rows, exactly=kind == "xlsx")
        self._exports.note(
            **self._what(request), kind=kind, rows=found.number, is_exact=found.is_exact
        )

    def _what(self, request: HttpRequest) -> dict[str, Any]:
        opts = self.model._meta
        return {
            "user": request.user,
            "model": f"{opts.app_label}.{opts.model_name}",
            "query": request.GET.urlencode(),
        }

    @property
    def _exports(self) -> Any:
        return self.admin_site.exports  # type: ignore[attr-defined]


def file_response(
    name: str, kind: str, header: Sequence[str], rows: Sequence[Sequence[Any]]
) -> HttpResponse:
    """Answer with a short table as a file of one of `KINDS`."""
    if kind == "csv":
        content: str | bytes = "".join(spreadsheets.csv_lines(header, rows))
    else:
        content = spreadsheets.build_xlsx(header, rows)
    content_type = "text/csv; charset=utf-8" if kind == "csv" else _XLSX
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response["Cache-Control"] = "no-store"
    return response


def is_never_exported(column: str) -> bool:
    """Return whether a column's name says that it opens something or proves who somebody is."""
    return any(word in column for word in _NEVER_EXPORTED)


def _page_columns(model_admin: Any) -> Sequence[Any]:
    if model_admin.fieldsets:
        return flatten_fieldsets(model_admin.fieldsets)
    return flatten(model_admin.fields or ())
