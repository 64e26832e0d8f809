"""Request bodies and answers of the endpoints of identity and activity."""

from typing import Any, Literal

from pydantic import Field

from imageskill.lib.schemas import Body, Data


class ActorOut(Data):
    """Who acts."""

    actor_type: Literal["agent", "human", "session", "system"]
    actor_id: str
    organization_id: str | None
    claim_state: str | None


class AgentOut(Data):
    """An agent as it sees itself."""

    agent_id: str
    agent_name: str
    runtime: str
    created_at: str


class OrganizationOut(Data):
    """An organization as its agents see it."""

    organization_id: str


class CapsOut(Data):
    """The limits of the agent; null where there is no such cap."""

    outputs_per_request: int
    credits_per_operation: int
    credits_per_day: int | None
    credits_per_week: int | None
    credits_per_month: int | None
    credits_total: int | None


class WhoAmI(Data):
    """The caller and its permissions."""

    authenticated: bool
    actor: ActorOut
    agent: AgentOut
    organization: OrganizationOut
    claim_state: str
    claim_request_state: str
    suspended: bool
    token_class: Literal["restricted"]
    session_origin: str
    token_status: Literal["active"]
    token_prefix: str
    token_created_at: str
    grants: list[str]
    caps: CapsOut


class ClaimRequestIn(Body):
    """The person to ask."""

    contact: str = Field(min_length=3, max_length=254)


class ClaimRequestOut(Data):
    """The result of a claim request.

    It does not say whether an email was sent, which would reveal something about the inbox.
    """

    state: Literal["attached", "unchanged"]
    claim_state: str
    claim_request_state: str
    contact_redacted: str


class SubjectOut(Data):
    """What an event is about."""

    type: str
    id: str


class EventOut(Data):
    """One activity event."""

    event_id: str
    type: str
    occurred_at: str
    summary: str
    operation: str
    subject: SubjectOut
    links: dict[str, Any]
    status: str
    cost: dict[str, Any] | None
    trace_id: str
    details: dict[str, Any]


class InspectFundsOut(Data):
    """How to look at credits and ways to pay; every command only reads."""

    purpose: Literal["inspect_funds"]
    first_safe_command: str
    inspect_methods_command: str
    inspect_packs_command: str
    quota_command: str


class ActivityNextOut(Data):
    """What to do about the newest of these events that concerns a job, as commands."""

    inspect_job: str | None
    inspect_asset: str | None
    iterate_edit: str | None
    self_fund: InspectFundsOut


class Events(Data):
    """A page of activity events, newest first."""

    events: list[EventOut]
    next_actions: ActivityNextOut
    next_cursor: str | None
    source: Literal["hosted_activity_ledger"]
