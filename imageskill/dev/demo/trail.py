"""Activity of a made-up history, in the form that `accounts.activity` gives it."""

from datetime import datetime
from typing import Any

from accounts.event_types import EVENT_TYPES
from accounts.models import ActivityEvent, Agent
from imageskill.dev.demo.dice import Dice


def event(
    dice: Dice,
    *,
    type: str,
    org: int,
    agent: Agent | None,
    subject_id: str,
    operation: str,
    summary: str,
    status: str,
    links: dict[str, Any],
    at: datetime,
    trace_id: str = "",
    cost: dict[str, Any] | None = None,
    details: dict[str, Any] | None = None,
) -> ActivityEvent:
    """Return one event, unsaved, with the links that its type has."""
    kind = EVENT_TYPES[type]
    stable = {name: links.get(name, [] if name == "asset_ids" else None) for name in kind.links}
    named: set[str | None] = {subject_id, trace_id}
    for value in stable.values():
        named.update(value if isinstance(value, list) else [value])
    return ActivityEvent(
        public_id=dice.public_id("event"),
        organization_id=org,
        agent=agent,
        type=type,
        occurred_at=at,
        summary=summary,
        operation=operation,
        subject_type=kind.subject,
        subject_id=subject_id,
        status=status,
        links=stable,
        cost=cost,
        details=details or {},
        trace_id=trace_id,
        references=sorted(one for one in named if one),
    )
