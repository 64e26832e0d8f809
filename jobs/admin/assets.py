"""The admin of assets: the image, its check, and the actions on it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Max, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from unfold.decorators import display

from imageskill.lib.admin.actions import StaffAction, perform_with
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import display_datetime, object_link
from jobs.admin.asset_filters import CheckFilter
from jobs.assets import removal, storage
from jobs.models import Asset, DownloadDay

_State = Asset.State
_ACT = "accounts.act_on_jobs"


_perform_with = partial(perform_with, subject="asset", refused=removal.InvalidAssetState)


ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="withdraw",
        label="Withdraw",
        permission=_ACT,
        preview=lambda asset: (
            "The public URL answers 410 from now on.",
            "The file is kept, so that the image can be released again.",
        ),
        perform=_perform_with(removal.withdraw, "The image is withdrawn."),
        is_open=lambda asset: asset.state in {_State.AVAILABLE, _State.QUARANTINED},
        is_destructive=True,
    ),
    StaffAction(
        name="quarantine",
        label="Quarantine",
        permission=_ACT,
        preview=lambda asset: (
            "The image is hidden during the review; its public URL answers 410.",
        ),
        perform=_perform_with(removal.quarantine, "The image is quarantined."),
        is_open=lambda asset: asset.state == _State.AVAILABLE,
    ),
    StaffAction(
        name="release",
        label="Release",
        permission=_ACT,
        preview=lambda asset: ("The public URL serves the image again.",),
        perform=_perform_with(removal.release, "The image is available again."),
        is_open=lambda asset: asset.state in {_State.QUARANTINED, _State.WITHDRAWN},
    ),
    StaffAction(
        name="check",
        label="Re-check",
        permission=_ACT,
        preview=lambda asset: ("A worker decodes the image again and makes a new thumbnail.",),
        perform=_perform_with(removal.recheck, "The check is queued. Reload the page in a moment."),
        is_open=lambda asset: asset.state != _State.DELETED,
    ),
)


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin):
    """One image and its check."""

    view_permission = "accounts.see_jobs"
    empty_text = "Images appear here when a job stores them or an agent uploads them."
    object_actions = ACTIONS
    export_also = (
        "organization__public_id",
        "index",
        "content_length",
        "width",
        "height",
        "state_changed_at",
    )
    list_display = (
        "public_id",
        "kind",
        "state",
        "verdict_shown",
        "size",
        "agent",
        "created_at",
    )
    list_filter = ("state", "kind", CheckFilter)
    search_fields = (
        "public_id__exact",
        "job__public_id__exact",
        "agent__public_id__exact",
        "organization__public_id__exact",
    )
    search_help_text = "image_, job_, agt_ or org_ id"
    list_select_related = ("agent", "job", "verdict")
    change_form_before_template = "admin/jobs/asset_before.html"
    fields = (
        "public_id",
        "kind",
        "state",
        "job",
        "agent",
        "size",
        "mime_type",
        "manifest",
        "sha256",
        "created_at",
        "downloads",
        "finding",
        "same_as",
    )
    badges = {"state": {"available": "success", "quarantined": "warning", "withdrawn": "danger"}}
    labels = {"state": "status"}

    def get_urls(self) -> list[URLPattern]:
        """Add the URL of the thumbnail, which serves hidden images to staff too."""
        view = self.admin_site.admin_view(self.thumbnail)
        return [
            path("<int:pk>/thumbnail/", view, name="jobs_asset_thumbnail"),
            *super().get_urls(),
        ]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Load an asset with what its page shows."""
        found = self.get_queryset(request).select_related(
            "agent", "organization", "job", "verdict__same_as"
        )
        return found.filter(pk=object_id).first() if object_id.isdigit() else None

    def thumbnail(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the thumbnail, or 404 where there is none yet."""
        if not self.has_view_permission(request):
            raise Http404
        asset = Asset.objects.filter(pk=pk).only("thumbnail_key").first()
        if asset is None or not asset.thumbnail_key:
            raise Http404
        with storage.open_asset(asset.thumbnail_key) as file:
            response = HttpResponse(file.read(), content_type="image/webp")
        response["Cache-Control"] = "private, max-age=600"
        return response

    @display(description="check", label={"good": "success", "bad": "danger"})
    def verdict_shown(self, asset: Asset) -> tuple[str, str]:
        verdict = getattr(asset, "verdict", None)
        if verdict is None:
            return "none", "Not checked yet"
        return ("good", "Passed") if verdict.is_good else ("bad", verdict.finding or "Failed")

    @display(description="check")
    def finding(self, asset: Asset) -> str:
        return self.verdict_shown(asset)[1]

    @display(description="same image as")
    def same_as(self, asset: Asset) -> str:
        verdict = getattr(asset, "verdict", None)
        return object_link(verdict.same_as) if verdict else "–"

    @display(description="downloads")
    def downloads(self, asset: Asset) -> str:
        days = DownloadDay.objects.filter(asset=asset)
        found = days.aggregate(times=Sum("count", default=0), last=Max("last_at"))
        if not found["times"]:
            return "0"
        return format_html("{}, last on {}", f"{found['times']:,}", display_datetime(found["last"]))

    @display(description="size")
    def size(self, asset: Asset) -> str:
        return f"{asset.width}×{asset.height}, {asset.content_length:,} bytes"
