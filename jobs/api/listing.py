"""What the reading endpoints share: pages, provenance, available images."""

from collections.abc import Sequence
from typing import Any

from accounts import grants
from imageskill.lib.errors import InvalidArguments
from imageskill.lib.http import ApiRequest
from jobs.models import Asset, Job


def includes_provenance(request: ApiRequest, is_wanted: bool) -> bool:
    """Return whether to show provenance. Raises `CapabilityDenied` without the grant for it."""
    if is_wanted:
        grants.require(request.auth, "provenance.read")
    return is_wanted


def available_assets(job: Job) -> Sequence[Asset]:
    """Return the job's images that can be fetched, in the order of their indexes."""
    images = [asset for asset in job.assets.all() if asset.is_available]
    return sorted(images, key=lambda asset: asset.index)


def paginate(
    rows: Any, *, organization_id: int, limit: int, cursor: str | None
) -> tuple[list[Any], str | None]:
    """Return a page of an organization's rows, newest first, and the cursor of the next page."""
    if cursor:
        mine = rows.model.objects.filter(organization_id=organization_id, public_id=cursor)
        last = mine.values_list("id", flat=True).first()
        if last is None:
            message = "must be next_cursor of an earlier answer"
            raise InvalidArguments(
                "This cursor does not belong to this list.",
                details=[{"field": "cursor", "message": message}],
            )
        rows = rows.filter(id__lt=last)
    page = list(rows.order_by("-id")[: limit + 1])
    return page[:limit], page[limit - 1].public_id if len(page) > limit else None
