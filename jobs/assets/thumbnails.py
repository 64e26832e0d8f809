"""The check of each stored image: its thumbnail, and what staff should know about it."""

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
    """Make the thumbnail and save the check, replacing an earlier one; None for a deleted asset."""
    asset = Asset.objects.select_related("job").filter(public_id=asset_id).first()
    if asset is None or asset.state == Asset.State.DELETED:
        return None
    with tempfile.TemporaryFile() as image, tempfile.TemporaryFile() as thumbnail:
        with storage.open_asset(asset.storage_key) as stored:
            while chunk := stored.read(1 << 20):
                image.write(chunk)
        facts = storage.measure(cast("Any", image))
        try:
            fingerprint = decoding.make_thumbnail(cast("Any", image), cast("Any", thumbnail))
        except decoding.UndecodableImage as refusal:
            return _save_check(asset, is_good=False, decodes=False, finding=str(refusal))
        key = storage.thumbnail_key(asset.public_id)
        storage.write(key, cast("Any", thumbnail))
        Asset.objects.filter(pk=asset.pk).update(thumbnail_key=key)
    return _evaluate(asset, facts, fingerprint)


def _evaluate(
    asset: Asset, facts: storage.FileDigest, fingerprint: decoding.ImageFingerprint
) -> AssetCheck:
    promised = (asset.mime_type, asset.width, asset.height, asset.content_length, asset.sha256)
    found = (
        fingerprint.mime_type,
        fingerprint.width,
        fingerprint.height,
        facts.content_length,
        facts.sha256,
    )
    bands = hash_bands(fingerprint.difference_hash)
    same_as = (
        None if fingerprint.is_blank else _find_lookalike(asset, fingerprint.difference_hash, bands)
    )
    verdicts = {
        "decodes": True,
        "is_as_promised": promised == found,
        "is_as_planned": _matches_plan(asset, fingerprint),
        "is_blank": fingerprint.is_blank,
        "same_as": same_as,
    }
    is_good = (
        verdicts["is_as_promised"]
        and verdicts["is_as_planned"]
        and not fingerprint.is_blank
        and same_as is None
    )
    return _save_check(
        asset,
        is_good=is_good,
        difference_hash=f"{fingerprint.difference_hash:016x}",
        bands=bands,
        finding=_describe_findings(asset, fingerprint, verdicts),
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
    """Find another agent's image that looks the same; among uploads that is no finding."""
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


def _matches_plan(asset: Asset, fingerprint: decoding.ImageFingerprint) -> bool:
    """Compare with what the plan expected; a size that was not requested can't be wrong."""
    plan = asset.job.plan
    size, output_format = plan.get("size"), plan.get("output_format")
    has_size = not size or [fingerprint.width, fingerprint.height] == size
    has_type = not output_format or fingerprint.mime_type == f"image/{output_format}"
    return has_size and has_type


def _describe_findings(
    asset: Asset, fingerprint: decoding.ImageFingerprint, verdicts: dict[str, Any]
) -> str:
    found = []
    if not verdicts["is_as_promised"]:
        found.append("The stored file is not the one that was written.")
    if not verdicts["is_as_planned"]:
        found.append(
            f"Size or type differs from the plan: {fingerprint.width} x "
            f"{fingerprint.height}, {fingerprint.mime_type}."
        )
    if fingerprint.is_blank:
        found.append("One flat color.")
    if verdicts["same_as"] is not None:
        found.append(f"Looks the same as {verdicts['same_as'].public_id} of another agent.")
    return " ".join(found)[:300]
