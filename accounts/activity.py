"""Recording and finding activity events, which agents can read and cite."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.event_types import EVENT_TYPES
from accounts.models import ActivityEvent
from imageskill.lib import clock, trace


def record(*events: ActivityEvent) -> None:
    """Insert events in order with one statement, in the caller's transaction."""
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
    """Build an event for `record`.

    `links` may set any of the links that the registry lists for this type; the others are null.
    `find_by_reference` finds the event by its subject, each linked id, its trace id and
    `also_found_by`. Raises KeyError for a type and ValueError for a link outside the registry.
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
    """Return the events of one organization, newest first."""
    return ActivityEvent.objects.filter(organization_id=organization_id).order_by("-id")


def find_by_reference(organization_id: int, reference: str) -> QuerySet[ActivityEvent]:
    """Return the events about a job, asset, usage event, report, quote, receipt or trace id."""
    return for_organization(organization_id).filter(references__contains=[reference])


def _references(
    subject_id: str, links: Mapping[str, Any], trace_id: str, others: tuple[str, ...]
) -> list[str]:
    references = {subject_id, trace_id, *others}
    for value in links.values():
        references.update(value if isinstance(value, list) else [value])
    return sorted(reference for reference in references if reference)
