"""Jobs and assets as the wire has them. Reads what it is given; never asks the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from imageskill.lib import clock
from jobs.models import Asset, Job
from jobs.planning import prices
from jobs.planning.prices import Cost
from jobs.providers.failures import POLICY
from jobs.running.outcomes import error_for, pending_error_for


def image_url(asset: Asset) -> str:
    """Return the public address of an asset."""
    return f"{settings.PUBLIC_MEDIA_URL}/a/{asset.public_id}.{asset.extension}"


def thumbnail_url(asset: Asset) -> str | None:
    """Return the public address of an asset's thumbnail, where there is one."""
    if not asset.thumbnail_key:
        return None
    return f"{settings.PUBLIC_MEDIA_URL}/t/{asset.public_id}.webp"


def asset_out(asset: Asset, job: Job, *, with_provenance: bool = False) -> dict[str, Any]:
    """Write an asset of a job."""
    url = image_url(asset)
    out = {
        "asset_id": asset.public_id,
        "job_id": job.public_id,
        "kind": asset.kind,
        "url": url,
        "path": url,
        "mime_type": asset.mime_type,
        "content_length": asset.content_length,
        "width": asset.width,
        "height": asset.height,
        "sha256": asset.sha256,
        "created_at": clock.iso(asset.created_at),
        "source": "hosted_metadata",
    }
    return out | _provenance_out(job, with_provenance)


def job_out(job: Job, assets: Sequence[Asset], *, with_provenance: bool = False) -> dict[str, Any]:
    """Write a job with its assets."""
    out = {
        "job_id": job.public_id,
        "status": job.status,
        "operation": job.operation,
        "trace_id": job.trace_id,
        "capability": {"id": job.capability_id},
        "created_at": clock.iso(job.created_at),
        "started_at": clock.iso_or_none(job.started_at),
        "completed_at": clock.iso_or_none(job.completed_at),
        "assets": [asset_out(asset, job, with_provenance=with_provenance) for asset in assets],
        "cost": cost_out(job),
        "safety": {"status": "denied" if job.error_class == POLICY.name else "allowed"},
        "error": _error_out(job),
    }
    return out | _provenance_out(job, with_provenance)


def cost_out(job: Job) -> dict[str, Any] | None:
    """Write what a job costs: its plan until it is charged, then the charge."""
    if job.operation == Job.Operation.UPLOAD:
        return None
    return prices.cost_document(
        Cost.from_json(job.plan["cost"]),
        credits_captured=job.credits_captured,
        reported_usd=job.reported_usd,
    )


def recovery_out(job: Job) -> Mapping[str, Any]:
    """Return how to go on with a job that still runs."""
    return {
        "suggested_command": f"image-skill jobs wait {job.public_id} --json",
        "retry_after_seconds": 2,
    }


def _provenance_out(job: Job, is_wanted: bool) -> dict[str, Any]:
    if not is_wanted or job.operation == Job.Operation.UPLOAD:
        return {}
    return {"provenance": {"provider_id": job.provider_id, "model_id": job.model_id}}


def _error_out(job: Job) -> dict[str, Any] | None:
    error = error_for(job) if job.error_code else pending_error_for(job)
    if error is None:
        return None
    return {"code": error.code, "message": error.text, "retryable": error.retryable}
