"""Downloading exactly what a list shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib.admin.utils import flatten, flatten_fieldsets, get_fields_from_path
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import BinaryField, ForeignKey, JSONField, Model, QuerySet
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path, reverse

from imageskill.lib import amounts, clock
from imageskill.lib.admin import keyset, spreadsheets

FORMATS = ("csv", "xlsx")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHUNK_ROWS = 2000
_NATURAL_KEYS = ("number", "public_id", "email")  # the first that a related model has
_UNREADABLE = (ArrayField, BinaryField, JSONField)
_CENTS = "_cents"
_NEVER_EXPORTED = ("password", "digest", "secret", "key", "lease", "lookup", "token")


class ExportMixin:
    """Adds CSV and XLSX of the filtered list to an admin class.

    Both come at any size without holding the rows in memory: CSV line by line, XLSX from a
    temporary file. The site says which permission this needs (`export_permission`), and records
    who took what (`record_export`).
    """

    export_also: Sequence[str] = ()  # columns beside those that list and page show
    export_fields: Sequence[str] = ()  # all columns, where they are not what list and page show
    labels: ClassVar[Mapping[str, str]] = {}  # field → what to call it instead of its name
    model: type[Model]
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the downloads."""
        opts = self.model._meta
        view = self.admin_site.admin_view(self.export_view)
        downloads = [
            path(
                f"export.{kind}",
                view,
                {"kind": kind},
                name=f"{opts.app_label}_{opts.model_name}_export_{kind}",
            )
            for kind in FORMATS
        ]
        return [*downloads, *super().get_urls()]  # type: ignore[misc]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list with the links that download exactly it."""
        links: dict[str, Any] = {}
        if self.may_export(request):
            opts = self.model._meta
            for kind in FORMATS:
                name = f"admin:{opts.app_label}_{opts.model_name}_export_{kind}"
                links[f"export_{kind}_url"] = f"{reverse(name)}?{request.GET.urlencode()}"
        return super().changelist_view(  # type: ignore[misc]
            request, {**links, **(extra_context or {})}
        )

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Answer with the filtered list as a file."""
        if not self.may_export(request):
            raise PermissionDenied
        rows = self.filtered(request)
        self._record(request, kind, rows)
        title = str(self.model._meta.verbose_name_plural)
        name = f"{title}-{clock.now():%Y%m%d-%H%M%S}"
        return file_response(name, kind, self.export_header(), self.export_rows(rows), title=title)

    def may_export(self, request: HttpRequest) -> bool:
        """Return whether the person may see the list and download what it shows."""
        may_see: bool = self.has_view_permission(request)  # type: ignore[attr-defined]
        return may_see and request.user.has_perm(self.admin_site.export_permission)

    def filtered(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the list as its filters and search narrow it, on all pages."""
        queryset: QuerySet[Any] = self.get_changelist_instance(request).queryset  # type: ignore[attr-defined]
        return queryset

    def export_columns(self) -> list[str]:
        """Name what is read: the columns that page and list show, and `export_also`.

        Never all columns: a password's hash or a token's digest is a column too.
        """
        if self.export_fields:
            return list(self.export_fields)
        shown = [*_page_columns(self), *self.list_display]  # type: ignore[attr-defined]
        columns = filter(None, map(self._export_column, shown))
        return list(dict.fromkeys([*columns, *self.export_also]))

    def _export_column(self, name: str) -> str | None:
        """Return what to read for a name; None for a method, and for what is never exported."""
        if hasattr(self, name):
            return None
        try:
            field: Any = get_fields_from_path(self.model, name)[-1]
        except FieldDoesNotExist:
            return None
        if isinstance(field, ForeignKey):
            return f"{name}__{_natural_key(field.related_model)}"
        return None if isinstance(field, _UNREADABLE) or is_never_exported(field.attname) else name

    def export_header(self) -> list[str]:
        """Name the columns for who reads them, in the words of the list."""
        columns = self.export_columns()
        has_currency = any(name.endswith("currency") for name in columns)
        unit = "" if has_currency else ", USD"
        return [_heading(name, self.labels.get(name, ""), unit=unit) for name in columns]

    def export_rows(self, rows: QuerySet[Any]) -> Iterator[Sequence[Any]]:
        """Read the rows a few thousand at a time; amounts are in dollars, not in cents."""
        columns = self.export_columns()
        places = [place for place, name in enumerate(columns) if name.endswith(_CENTS)]
        plain = rows.select_related(None).prefetch_related(None)
        for row in plain.values_list(*columns).iterator(chunk_size=_CHUNK_ROWS):
            cells = list(row)
            for place in places:
                if cells[place] is not None:
                    cells[place] = amounts.from_cents(cells[place])
            yield cells

    def _record(self, request: HttpRequest, kind: str, rows: QuerySet[Any]) -> None:
        """Record the download before it begins: one that breaks off took rows as well."""
        count = keyset.count_rows(rows, exactly=kind == "xlsx")
        self.admin_site.record_export(
            user=request.user,
            model=self.model._meta.label_lower,
            query=request.GET.urlencode(),
            kind=kind,
            rows=count.number,
            is_exact=count.is_exact,
        )


def file_response(
    name: str,
    kind: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    title: str = "",
) -> HttpResponseBase:
    """Answer with a table as a file of one of `FORMATS`, however many rows it has.

    `title` names the sheet, where it is not to be called like the file.
    """
    response: HttpResponseBase
    if kind == "csv":
        lines = spreadsheets.csv_lines(header, rows)
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    else:
        response = FileResponse(
            spreadsheets.write_xlsx(title or name, header, rows), content_type=_XLSX
        )
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response["Cache-Control"] = "no-store"
    return response


def _heading(name: str, label: str, *, unit: str) -> str:
    """Return a column's label, or its name as words: `issued_at` is `Issued (UTC)`."""
    words = label or _words(name)
    suffix = unit if name.endswith(_CENTS) else " (UTC)" if name.endswith("_at") else ""
    return f"{words[:1].upper()}{words[1:]}{suffix}"


def _words(name: str) -> str:
    *path, last = name.split("__")
    if last == "public_id":
        return f"{path[-1]} ID".replace("_", " ") if path else "ID"
    last = last.removesuffix(_CENTS).removesuffix("_at")
    if last.endswith("_id"):
        last = f"{last.removesuffix('_id')} ID"
    return " ".join([*path, last]).replace("_", " ")


def is_never_exported(column: str) -> bool:
    """Return whether a column's name says that it opens something or proves who somebody is."""
    return any(word in column for word in _NEVER_EXPORTED)


def _natural_key(model: Any) -> str:
    names = {field.name for field in model._meta.concrete_fields}
    return next((key for key in _NATURAL_KEYS if key in names), "pk")


def _page_columns(model_admin: Any) -> Sequence[Any]:
    if model_admin.fieldsets:
        return flatten_fieldsets(model_admin.fieldsets)
    return flatten(model_admin.fields or ())
