"""What others learn of a job: activity in its transaction, a wakeup and telemetry after."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from accounts import activity, telemetry
from accounts.models import ActivityEvent
from imageskill.lib import clock
from imageskill.lib.redis import wakeups
from jobs.models import Asset, Job, Usage

COMMANDS = {
    Job.Operation.CREATE: "image-skill create",
    Job.Operation.EDIT: "image-skill edit",
    Job.Operation.UPLOAD: "image-skill upload",
}


def publish_completed(job: Job, *, assets: Sequence[Asset], usage: Usage) -> None:
    """Publish each asset, the charge, and that the job is completed."""
    events = [
        _event(
            job,
            "asset.created",
            subject_id=asset.public_id,
            summary="Image created",
            links=_links(job, [asset.public_id], usage.public_id),
        )
        for asset in assets
    ]
    events.append(
        _event(
            job,
            "usage.credit_consumed",
            subject_id=usage.public_id,
            operation="usage",
            summary=f"{usage.credits} credits consumed",
            links={"job_id": job.public_id, "usage_event_id": usage.public_id},
            details={"credits": usage.credits},
        )
    )
    events.append(_end_event(job, [asset.public_id for asset in assets], usage.public_id))
    _publish_end(job, events)


def publish_ended(job: Job) -> None:
    """Publish how the job ended without an image; wake its waiters; record telemetry."""
    _publish_end(job, [_end_event(job, [], None)])


def publish_uploaded(job: Job, asset: Asset) -> None:
    """Publish an uploaded image."""
    event = _event(
        job,
        "asset.uploaded",
        subject_id=asset.public_id,
        summary="Image uploaded",
        links=_links(job, [asset.public_id], None),
    )
    activity.record(event)


def wake_waiters(job: Job) -> None:
    """Wake the job's waiters once this is committed; before, they would read the old row."""
    transaction.on_commit(lambda: wakeups.notify(job.public_id))


def _end_event(job: Job, asset_ids: Sequence[str], usage_event_id: str | None) -> ActivityEvent:
    return _event(
        job,
        "job.completed",
        subject_id=job.public_id,
        summary=f"{job.get_operation_display().capitalize()} job {job.status}",
        links=_links(job, asset_ids, usage_event_id),
        details={"error_code": job.error_code} if job.error_code else None,
    )


def _publish_end(job: Job, events: Sequence[ActivityEvent]) -> None:
    activity.record(*events)
    wake_waiters(job)
    transaction.on_commit(lambda: _record_telemetry(job))


def _links(job: Job, asset_ids: Sequence[str], usage_event_id: str | None) -> dict[str, Any]:
    return {
        "job_id": job.public_id,
        "asset_ids": list(asset_ids),
        "usage_event_id": usage_event_id,
    }


def _event(
    job: Job,
    type: str,
    *,
    subject_id: str,
    summary: str,
    links: Mapping[str, Any],
    operation: str = "",
    details: Mapping[str, Any] | None = None,
) -> ActivityEvent:
    return activity.event(
        type=type,
        organization_id=job.organization_id,
        agent_id=job.agent_id,
        subject_id=subject_id,
        operation=operation or job.operation,
        summary=summary,
        status=job.status,
        links=links,
        cost=None if job.operation == Job.Operation.UPLOAD else cost_summary(job),
        details=details,
        trace_id=job.trace_id,
    )


def cost_summary(job: Job) -> dict[str, Any]:
    """Return what a job costs, for events: dollars planned and credits charged so far."""
    return {
        "estimated_usd": None if job.planned_usd is None else job.planned_usd.normalize(),
        "credits": job.credits_captured or 0,
    }


def _record_telemetry(job: Job) -> None:
    ended_at = job.completed_at or clock.now()
    telemetry.record(
        kind="job",
        name=COMMANDS[Job.Operation(job.operation)],
        actor_type="agent",
        actor_id=job.agent.public_id,
        capability=job.capability_id,
        status=job.status,
        duration_ms=round((ended_at - job.created_at).total_seconds() * 1000, 1),
        estimated_usd=job.planned_usd,
        output_count=job.output_count,
        error_code=job.error_code,
        retry_state=f"redelivered {job.redeliveries}" if job.redeliveries else "",
        job_id=job.public_id,
        trace_id=job.trace_id,
    )
