"""An agent as it was at a past time, from the audit log and its claims.

A value without a record is today's, marked as not recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from accounts.agent_corrections import CAPS
from accounts.models import Agent, AuditLine, Claim

_ClaimState, _RequestState = Agent.ClaimState, Agent.ClaimRequestState
_LIMIT_FIELDS = ("grants", *CAPS)
_SUSPENSIONS = ("agent.suspend", "agent.reinstate")
_RELEVANT_ACTIONS = ("claim.accept", "agent.terms", "agent.set_caps", "agent.revoke", *_SUSPENSIONS)


class HistoricalValue(NamedTuple):
    """A past value, or today's if the past one was not recorded."""

    value: Any
    is_recorded: bool = True


@dataclass(frozen=True, slots=True)
class AgentSnapshot:
    """The past state of an agent. The value of `suspended` is (since, reason) or None."""

    claim_state: HistoricalValue
    claim_request_state: HistoricalValue
    sponsor: HistoricalValue
    contact: HistoricalValue
    suspended: HistoricalValue
    limits: dict[str, HistoricalValue]


def agent_at(agent: Agent, *, at: datetime, was_paid: bool) -> AgentSnapshot:
    """Return the agent's state at a time; `was_paid` is whether it had a payment by then."""
    relevant = AuditLine.objects.filter(subject=agent.public_id, action__in=_RELEVANT_ACTIONS)
    lines = list(relevant.order_by("pk"))
    owner = agent.organization.owner
    claims = list(agent.claims.select_related("recipient").order_by("pk"))
    return AgentSnapshot(
        claim_state=_claim_state(lines, at, agent.claim_state, was_paid),
        claim_request_state=_request_state(claims, at),
        sponsor=value_at(lines, "owner", at=at, now=owner.email if owner else None),
        contact=_contact(claims, at, agent.contact),
        suspended=_suspended(lines, at, agent),
        limits={
            name: value_at(lines, name, at=at, now=getattr(agent, name)) for name in _LIMIT_FIELDS
        },
    )


def value_at(lines: Sequence[AuditLine], name: str, *, at: datetime, now: Any) -> HistoricalValue:
    """Return a value from the first change after the time, or else the last one before it."""
    about = [line for line in lines if name in (line.before or {}) or name in (line.after or {})]
    earlier = [line for line in about if line.at <= at]
    later = [line for line in about if line.at > at]
    if not later:
        return HistoricalValue(now)
    if name in (later[0].before or {}):
        return HistoricalValue((later[0].before or {})[name])
    if earlier and name in (earlier[-1].after or {}):
        return HistoricalValue((earlier[-1].after or {})[name])
    return HistoricalValue(now, is_recorded=False)


def _claim_state(
    lines: Sequence[AuditLine], at: datetime, now: str, was_paid: bool
) -> HistoricalValue:
    state = value_at(lines, "claim_state", at=at, now=now)
    if state.value == _ClaimState.PAYMENT_BACKED_UNCLAIMED and not was_paid:
        return HistoricalValue(_ClaimState.UNCLAIMED.value)
    return state


def _request_state(claims: Sequence[Claim], at: datetime) -> HistoricalValue:
    requests = [claim for claim in claims if claim.created_at <= at and claim.invited_by_id is None]
    if not requests:
        return HistoricalValue(_RequestState.NONE.value)
    latest = requests[-1]
    if latest.decided_at is None or latest.decided_at > at:
        return HistoricalValue(_RequestState.REQUESTED.value)
    if latest.state == Claim.State.REPLACED:  # forwarded to someone else
        return HistoricalValue(_RequestState.REQUESTED.value)
    return HistoricalValue(latest.state)


def _contact(claims: Sequence[Claim], at: datetime, now: str) -> HistoricalValue:
    """Return the contact, which every request by the agent or by staff names."""
    requests = [claim for claim in claims if claim.invited_by_id is None]
    earlier = [claim for claim in requests if claim.created_at <= at]
    if len(earlier) == len(requests):
        return HistoricalValue(now)
    if earlier:
        return HistoricalValue(earlier[-1].recipient.address)
    return HistoricalValue(now, is_recorded=False)


def _suspended(lines: Sequence[AuditLine], at: datetime, agent: Agent) -> HistoricalValue:
    about = [line for line in lines if line.action in _SUSPENSIONS]
    earlier = [line for line in about if line.at <= at]
    if earlier:
        latest = earlier[-1]
        is_suspended = latest.action == "agent.suspend"
        return HistoricalValue((latest.at, latest.reason) if is_suspended else None)
    if about and about[0].action == "agent.suspend":
        return HistoricalValue(None)
    if agent.suspended_at is None or agent.suspended_at > at:
        return HistoricalValue(None, is_recorded=not about)
    return HistoricalValue((agent.suspended_at, agent.suspension_reason))
