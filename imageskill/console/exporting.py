"""Exports: the audit knows each; long ones a worker writes, and its owner fetches within a day."""

import tempfile
from datetime import timedelta
from typing import Any, cast

import structlog
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.core.files.storage import storages
from django.db.models import F
from django.test import RequestFactory

from accounts import audit
from accounts.models import Export, User
from imageskill.lib import clock, ids
from imageskill.lib.admin import spreadsheets
from imageskill.lib.admin.exports import ExportMixin
from imageskill.lib.queue import enqueue

WRITE_TASK = "console.export"
_RETENTION = timedelta(days=1)
_RESEND_AFTER = timedelta(minutes=10)
_PROGRESS_EVERY = 2000  # rows
_MAX_QUERY_LENGTH = 2000

log = structlog.get_logger(__name__)


class QueryTooLong(Exception):
    """The filters don't fit where they have to be kept; the text says what to do."""


def record_download(
    *, user: User, model: str, query: str, kind: str, rows: int, is_exact: bool
) -> None:
    """Leave in the audit that somebody downloads a list at once."""
    audit.record(
        user=user,
        action=f"export.{kind}",
        subject=model,
        reason=query[:1000],
        after={"rows": rows, "is_exact": is_exact},
    )


def request_export(*, user: User, model: str, query: str) -> Export:
    """Have a worker write the rows of a filtered list; the export is listed from now on."""
    export = _create(user, model, query)
    enqueue(WRITE_TASK, export_id=export.pk)
    return export


def export_now(*, user_id: int, model: str, query: str) -> Export:
    """Write the rows of a filtered list at once, without a worker."""
    export = _create(User.objects.get(pk=user_id), model, query)
    write_file(export_id=export.pk)
    export.refresh_from_db()
    return export


def write_file(*, export_id: int) -> None:
    """Write the CSV file of an export, as its owner would see the list now.

    How far it is stands in the row. Whatever goes wrong ends it as failed, with the class of the
    error; who may no longer see the list gets nothing. One that is over is left alone.
    """
    open_ones = Export.objects.filter(state__in=[Export.State.WAITING, Export.State.WRITING])
    export = open_ones.select_related("user").filter(pk=export_id).first()
    if export is None:
        return
    try:
        key, rows = _write(export)
    except Exception as error:
        log.exception("export_failed", export_id=export_id)
        _update(export, state=Export.State.FAILED, problem=type(error).__name__)
    else:
        ready = {"state": Export.State.READY, "rows": rows, "storage_key": key}
        if not open_ones.filter(pk=export_id).update(**ready):
            storages["kept"].delete(key)  # somebody else was sent the same message, and was quicker


def open_download(export: Export, user: User) -> Any:
    """Open a ready file for the person who asked for it, and note the download."""
    Export.objects.filter(pk=export.pk).update(downloads=F("downloads") + 1)
    audit.record(
        user=user,
        action="export.download",
        subject=export.model,
        reason=export.query[:1000],
        after={"rows": export.rows},
    )
    return storages["kept"].open(export.storage_key)


def clean_up() -> int:
    """Remove the files whose time is over, and send again what no worker heard of.

    Gives how many files went.
    """
    now = clock.now()
    due = Export.objects.filter(expires_at__lte=now)
    unfinished = due.filter(state__in=[Export.State.WAITING, Export.State.WRITING])
    unfinished.update(state=Export.State.FAILED, problem="Expired")
    with_file = list(due.exclude(storage_key=""))
    for export in with_file:
        storages["kept"].delete(export.storage_key)
        _update(export, storage_key="")
    lost = Export.objects.filter(state=Export.State.WAITING, created_at__lt=now - _RESEND_AFTER)
    for export in lost:
        enqueue(WRITE_TASK, export_id=export.pk)
    return len(with_file)


def _create(user: User, model: str, query: str) -> Export:
    if len(query) > _MAX_QUERY_LENGTH:
        raise QueryTooLong("These filters are too long to keep; use fewer of them.")
    expires_at = clock.now() + _RETENTION
    return Export.objects.create(user=user, model=model, query=query, expires_at=expires_at)


def _write(export: Export) -> tuple[str, int]:
    request = RequestFactory().get("/", data=None, QUERY_STRING=export.query)
    request.user = export.user
    site = cast("ExportMixin", admin.site.get_model_admin(apps.get_model(export.model)))
    if not (export.user.is_staff and site.may_export(request)):
        raise PermissionDenied
    _update(export, state=Export.State.WRITING)
    rows = -1  # the first line is the header
    with tempfile.TemporaryFile("w+b") as file:
        for line in spreadsheets.csv_lines(
            site.export_header(), site.export_rows(site.filtered(request))
        ):
            file.write(line.encode())
            rows += 1
            if rows and rows % _PROGRESS_EVERY == 0:
                _update(export, rows=rows)
        file.seek(0)
        return storages["kept"].save(f"exports/{ids.random_text(22)}.csv", File(file)), rows


def _update(export: Export, **values: Any) -> None:
    Export.objects.filter(pk=export.pk).update(**values)
