"""A look at each stored image: its thumbnail, and what staff should know about it."""

import tempfile
from typing import Any, cast

from jobs.assets import storage
from jobs.images import decoding
from jobs.models import Asset, AssetCheck

_BANDS = 4
_BAND_BITS = 16
_MAX_DIFFERING_BITS = 3  # differing bits; with four bands, one of them is then equal for certain
_MAX_CANDIDATES = 200


def process(asset_id: str) -> AssetCheck | None:
    """Make the thumbnail and write the check; again, it looks again. None: not there any more."""
    asset = Asset.objects.select_related("job").filter(public_id=asset_id).first()
    if asset is None or asset.state == Asset.State.DELETED:
        return None
    with tempfile.TemporaryFile() as image, tempfile.TemporaryFile() as thumbnail:
        with storage.open_asset(asset.storage_key) as stored:
            while chunk := stored.read(1 << 20):
                image.write(chunk)
        facts = storage.measure(cast("Any", image))
        try:
            glance = decoding.make_thumbnail(cast("Any", image), cast("Any", thumbnail))
        except decoding.UndecodableImage as refusal:
            return _save_check(asset, is_good=False, decodes=False, finding=str(refusal))
        key = storage.thumbnail_key(asset.public_id)
        storage.write(key, cast("Any", thumbnail))
        Asset.objects.filter(pk=asset.pk).update(thumbnail_key=key)
    return _evaluate(asset, facts, glance)


def _evaluate(
    asset: Asset, facts: storage.FileDigest, glance: decoding.ImageFingerprint
) -> AssetCheck:
    promised = (asset.mime_type, asset.width, asset.height, asset.content_length, asset.sha256)
    found = (
        glance.mime_type,
        glance.width,
        glance.height,
        facts.content_length,
        facts.sha256,
    )
    bands = hash_bands(glance.difference_hash)
    same_as = None if glance.is_blank else _find_lookalike(asset, glance.difference_hash, bands)
    verdicts = {
        "decodes": True,
        "is_as_promised": promised == found,
        "is_as_planned": _matches_plan(asset, glance),
        "is_blank": glance.is_blank,
        "same_as": same_as,
    }
    is_good = (
        verdicts["is_as_promised"]
        and verdicts["is_as_planned"]
        and not glance.is_blank
        and same_as is None
    )
    return _save_check(
        asset,
        is_good=is_good,
        difference_hash=f"{glance.difference_hash:016x}",
        bands=bands,
        finding=_describe_findings(asset, glance, verdicts),
        **verdicts,
    )


def _save_check(asset: Asset, **verdicts: Any) -> AssetCheck:
    defaults: dict[str, Any] = {
        "is_as_promised": False,
        "is_as_planned": False,
        "is_blank": False,
        "same_as": None,
        "difference_hash": "",
        "bands": [],
        "finding": "",
    }
    check, _ = AssetCheck.objects.update_or_create(asset=asset, defaults=defaults | verdicts)
    return check


def hash_bands(difference_hash: int) -> list[int]:
    """Cut a hash into numbered bands, so that an index finds those with one in common."""
    mask = (1 << _BAND_BITS) - 1
    return [
        band << _BAND_BITS | (difference_hash >> band * _BAND_BITS) & mask for band in range(_BANDS)
    ]


def _find_lookalike(asset: Asset, difference_hash: int, bands: list[int]) -> Asset | None:
    """Find another agent's image that looks the same; uploads may well repeat."""
    if asset.kind != Asset.Kind.GENERATED:
        return None
    candidates = (
        AssetCheck.objects.filter(bands__overlap=bands, is_blank=False)
        .filter(asset__kind=Asset.Kind.GENERATED)
        .exclude(asset__agent_id=asset.agent_id)
        .exclude(difference_hash="")
        .select_related("asset")
        .order_by("id")[:_MAX_CANDIDATES]
    )
    for check in candidates:
        if (int(check.difference_hash, 16) ^ difference_hash).bit_count() <= _MAX_DIFFERING_BITS:
            return check.asset
    return None


def _matches_plan(asset: Asset, glance: decoding.ImageFingerprint) -> bool:
    """Compare with what the plan expected; a size that nobody named can't be missed."""
    plan = asset.job.plan
    size, output_format = plan.get("size"), plan.get("output_format")
    has_size = not size or [glance.width, glance.height] == size
    has_type = not output_format or glance.mime_type == f"image/{output_format}"
    return has_size and has_type


def _describe_findings(
    asset: Asset, glance: decoding.ImageFingerprint, verdicts: dict[str, Any]
) -> str:
    found = []
    if not verdicts["is_as_promised"]:
        found.append("The stored file is not the one that was written.")
    if not verdicts["is_as_planned"]:
        found.append(
            f"Size or type differs from the plan: {glance.width} x "
            f"{glance.height}, {glance.mime_type}."
        )
    if glance.is_blank:
        found.append("One flat color.")
    if verdicts["same_as"] is not None:
        found.append(f"Looks the same as {verdicts['same_as'].public_id} of another agent.")
    return " ".join(found)[:300]
