"""Writing and finding activity: what an agent can cite about what happened."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.event_types import EVENT_TYPES
from accounts.models import ActivityEvent
from imageskill.lib import clock, trace


def record(*events: ActivityEvent) -> None:
    """Write events in their order, with one statement, inside the caller's transaction."""
    ActivityEvent.objects.bulk_create(events)


def event(
    *,
    type: str,
    organization_id: int,
    agent_id: int | None,
    subject_id: str,
    operation: str,
    summary: str,
    status: str,
    links: Mapping[str, Any],
    cost: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    trace_id: str | None = None,
    occurred_at: datetime | None = None,
    also_found_by: tuple[str, ...] = (),
) -> ActivityEvent:
    """Make an event for `record` to write.

    `links` may set any of the stable links that the registry gives to this type; the others are
    null. The event is found again by its subject, every linked id, its trace and
    `also_found_by`. A type or link outside the registry is a programming error (KeyError,
    ValueError).
    """
    kind = EVENT_TYPES[type]
    unknown = set(links) - set(kind.links)
    if unknown:
        raise ValueError(f"{type} has no link {sorted(unknown)}")
    stable = {name: links.get(name, [] if name == "asset_ids" else None) for name in kind.links}
    trace_id = trace_id or trace.current()
    return ActivityEvent(
        organization_id=organization_id,
        agent_id=agent_id,
        type=type,
        occurred_at=occurred_at or clock.now(),
        summary=summary,
        operation=operation,
        subject_type=kind.subject,
        subject_id=subject_id,
        status=status,
        links=stable,
        cost=None if cost is None else dict(cost),
        details=dict(details or {}),
        trace_id=trace_id,
        references=_references(subject_id, stable, trace_id, also_found_by),
    )


def for_organization(organization_id: int) -> QuerySet[ActivityEvent]:
    """Return what one organization may read, newest first."""
    return ActivityEvent.objects.filter(organization_id=organization_id).order_by("-id")


def find_by_reference(organization_id: int, reference: str) -> QuerySet[ActivityEvent]:
    """Narrow to the events that a job, asset, usage, report, quote, receipt or trace id names."""
    return for_organization(organization_id).filter(references__contains=[reference])


def _references(
    subject_id: str, links: Mapping[str, Any], trace_id: str, others: tuple[str, ...]
) -> list[str]:
    references = {subject_id, trace_id, *others}
    for value in links.values():
        references.update(value if isinstance(value, list) else [value])
    return sorted(reference for reference in references if reference)
