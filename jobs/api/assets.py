"""The organization's images: list, show, delete."""

from django.db.models import QuerySet
from ninja import Router

from accounts.api.auth import bearer
from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import NotFound
from imageskill.lib.http import ApiRequest
from jobs.api import answers, bodies, listing, next_actions, representations
from jobs.assets import removal
from jobs.models import Asset

router = Router(auth=bearer, tags=["assets"])


@router.get(
    "/v1/assets",
    response=answers.AssetsOut,
    exclude_unset=True,
    operation_id="list_assets",
    openapi_extra=openapi_command("image-skill assets list"),
    summary="List the organization's images, newest first",
)
def list_assets(
    request: ApiRequest,
    limit: bodies.Limit = 20,
    cursor: bodies.Cursor | None = None,
    provenance: bool = False,
) -> answers.AssetsOut:
    """Return a page of images; `next_cursor` is null on the last page."""
    shows = listing.includes_provenance(request, provenance)
    mine = request.auth.organization_id
    images = Asset.objects.of(mine).select_related("job")
    page, next_cursor = listing.paginate(images, organization_id=mine, limit=limit, cursor=cursor)
    return answers.AssetsOut(
        assets=[
            representations.asset_out(asset, asset.job, with_provenance=shows) for asset in page
        ],
        next_cursor=next_cursor,
    )


@router.get(
    "/v1/assets/{asset_id}",
    response=answers.ShowAssetOut,
    exclude_unset=True,
    operation_id="get_asset",
    openapi_extra=openapi_command("image-skill assets show"),
    summary="Show an image",
)
def show_asset(
    request: ApiRequest, asset_id: str, provenance: bool = False
) -> answers.ShowAssetOut:
    """Return one image of the caller's organization."""
    shows = listing.includes_provenance(request, provenance)
    asset = _get_asset(request, asset_id)
    return answers.ShowAssetOut(
        request=answers.AssetReferenceOut(reference=asset_id, reference_type="asset_id"),
        asset=representations.asset_out(asset, asset.job, with_provenance=shows),
        next_actions=next_actions.after_job(asset.job, [asset]),
    )


@router.delete(
    "/v1/assets/{asset_id}",
    response=answers.DeletedOut,
    operation_id="delete_asset",
    openapi_extra=openapi_command("image-skill assets delete"),
    summary="Delete an image",
)
def delete_asset(request: ApiRequest, asset_id: str) -> answers.DeletedOut:
    """Delete an image; its public URL answers 410 from then on. Repeating the call is safe."""
    deletable = Asset.objects.filter(
        organization=request.auth.organization_id,
        state__in=(Asset.State.AVAILABLE, Asset.State.DELETED),  # not what staff withdrew
    )
    removal.delete(_get_or_not_found(deletable, asset_id))
    return answers.DeletedOut(asset_id=asset_id, state="deleted")


def _get_asset(request: ApiRequest, asset_id: str) -> Asset:
    mine = Asset.objects.of(request.auth.organization_id).select_related("job")
    return _get_or_not_found(mine, asset_id)


def _get_or_not_found(mine: QuerySet[Asset], asset_id: str) -> Asset:
    asset = mine.filter(public_id=asset_id).first()
    if asset is None:
        raise NotFound
    return asset
