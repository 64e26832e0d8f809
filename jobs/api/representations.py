"""Jobs and assets as answers show them. Never queries the database."""

from collections.abc import Sequence
from typing import cast

from django.conf import settings

from imageskill.lib import clock
from jobs.api import answers
from jobs.assets import retention
from jobs.models import Asset, Job
from jobs.planning import prices
from jobs.planning.prices import Cost, CostOut
from jobs.providers.failures import POLICY
from jobs.running.outcomes import error_for, pending_error_for


def image_url(asset: Asset) -> str:
    """Return the public URL of an asset."""
    return f"{settings.PUBLIC_MEDIA_URL}/a/{asset.public_id}.{asset.extension}"


def thumbnail_url(asset: Asset) -> str | None:
    """Return the public URL of an asset's thumbnail, or None where it has none."""
    if not asset.thumbnail_key:
        return None
    return f"{settings.PUBLIC_MEDIA_URL}/t/{asset.public_id}.webp"


def asset_out(asset: Asset, job: Job, *, with_provenance: bool = False) -> answers.AssetOut:
    """Return an asset of a job."""
    url = image_url(asset)
    out = answers.AssetOut(
        asset_id=asset.public_id,
        job_id=job.public_id,
        kind=cast("answers.AssetKind", asset.kind),
        url=url,
        path=url,
        mime_type=asset.mime_type,
        content_length=asset.content_length,
        width=asset.width,
        height=asset.height,
        sha256=asset.sha256,
        created_at=clock.iso(asset.created_at),
        expires_at=clock.iso_or_none(retention.expires_at(asset)),
        source="hosted_metadata",
    )
    if with_provenance and (provenance := _provenance_out(job)):
        out.provenance = provenance
    return out


def job_out(job: Job, assets: Sequence[Asset], *, with_provenance: bool = False) -> answers.JobOut:
    """Return a job with its assets."""
    is_upload = job.operation == Job.Operation.UPLOAD
    is_denied = job.error_class == POLICY.name
    out = answers.JobOut(
        job_id=job.public_id,
        status=cast("answers.JobStatus", job.status),
        operation=cast("answers.JobOperation", job.operation),
        trace_id=job.trace_id,
        capability=answers.CapabilityRef(id=job.capability_id),
        created_at=clock.iso(job.created_at),
        started_at=clock.iso_or_none(job.started_at),
        completed_at=clock.iso_or_none(job.completed_at),
        assets=[asset_out(asset, job, with_provenance=with_provenance) for asset in assets],
        cost=None if is_upload else cost_out(job, names_vendor=with_provenance),
        safety=answers.SafetyOut(status="denied" if is_denied else "allowed"),
        error=_error_out(job),
    )
    if with_provenance and (provenance := _provenance_out(job)):
        out.provenance = provenance
    return out


def cost_out(job: Job, *, names_vendor: bool = False) -> CostOut:
    """Return the cost of a create or edit: as planned, then as charged."""
    return prices.cost_document(
        Cost.from_json(job.plan["cost"]),
        credits_captured=job.credits_captured,
        reported_usd=job.reported_usd,
        names_vendor=names_vendor,
    )


def recovery_out(job: Job) -> answers.RecoveryOut:
    """Return how to wait for a job that is still running."""
    return answers.RecoveryOut(
        suggested_command=f"image-skill jobs wait {job.public_id} --json", retry_after_seconds=2
    )


def _provenance_out(job: Job) -> answers.ProvenanceOut | None:
    if job.operation == Job.Operation.UPLOAD:
        return None
    return answers.ProvenanceOut(provider_id=job.provider_id, model_id=job.model_id)


def _error_out(job: Job) -> answers.JobErrorOut | None:
    error = error_for(job) if job.error_code else pending_error_for(job)
    if error is None:
        return None
    return answers.JobErrorOut(code=error.code, message=error.text, retryable=error.retryable)
