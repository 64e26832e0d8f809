"""Long exports: a worker writes the file, its owner fetches it within a day, the audit knows."""

import tempfile
from datetime import timedelta
from typing import Any, cast

from django.apps import apps
from django.contrib import admin
from django.core.files import File
from django.core.files.storage import storages
from django.db.models import F
from django.test import RequestFactory

from accounts import audit
from accounts.models import Export, User
from imageskill.lib import clock, ids
from imageskill.lib.admin import spreadsheets
from imageskill.lib.admin.exports import ExportMixin

_KEPT_FOR = timedelta(days=1)


def make(*, user_id: int, model: str, query: str) -> Export:
    """Write the rows of a filtered list into a CSV file, as that person would see them."""
    user = User.objects.get(pk=user_id)
    export = Export.objects.create(
        user=user, model=model, query=query, expires_at=clock.now() + _KEPT_FOR
    )
    model_admin = cast("ExportMixin", admin.site.get_model_admin(apps.get_model(model)))
    request = RequestFactory().get("/", data=None, QUERY_STRING=query)
    request.user = user
    written = 0
    with tempfile.TemporaryFile("w+b") as file:
        lines = spreadsheets.csv_lines(
            model_admin.export_header(), model_admin.export_rows(model_admin.filtered(request))
        )
        for line in lines:
            file.write(line.encode())
            written += 1
        file.seek(0)
        key = storages["kept"].save(f"exports/{ids.random_text(22)}.csv", File(file))
    Export.objects.filter(pk=export.pk).update(
        state=Export.State.READY, rows=written - 1, storage_key=key
    )
    export.refresh_from_db()
    return export


def fetched(export: Export, user: User) -> Any:
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


def forget_expired() -> int:
    """Remove the files whose time is over; gives how many."""
    due = Export.objects.filter(expires_at__lte=clock.now()).exclude(storage_key="")
    for export in due:
        storages["kept"].delete(export.storage_key)
        Export.objects.filter(pk=export.pk).update(storage_key="")
    return len(due)
