"""Endpoints of identity and activity."""

from typing import Annotated, Any

from django.conf import settings
from ninja import Query, Router

from accounts import activity, grants
from accounts.api.auth import bearer, build_actor, request_token
from accounts.api.schemas import ClaimRequestIn, ClaimRequestOut, Events, WhoAmI
from accounts.claims import inboxes, requests
from accounts.models import ActivityEvent, Agent
from imageskill.lib import clock, ids, ratelimit
from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import InvalidArguments, NotFound
from imageskill.lib.http import ApiRequest

router = Router(auth=bearer)

_SOURCE = "hosted_activity_ledger"


@router.get(
    "/v1/whoami",
    response=WhoAmI,
    openapi_extra=openapi_command("image-skill whoami"),
    summary="Show who is calling and what they may do",
    tags=["identity"],
)
def whoami(request: ApiRequest) -> dict[str, Any]:
    """Answer with identity, claim state, token, grants and caps."""
    agent: Agent = request.auth
    token = request_token(request)
    return {
        "authenticated": True,
        "actor": build_actor(agent),
        "agent": agent_out(agent),
        "organization": {"organization_id": agent.organization.public_id},
        "claim_state": agent.claim_state,
        "claim_request_state": agent.claim_request_state,
        "suspended": agent.is_suspended,
        "token_class": "restricted",
        "session_origin": agent.session_origin,
        "token_status": "active",
        "token_prefix": token.prefix,
        "token_created_at": clock.iso(token.created_at),
        "grants": agent.grants,
        "caps": caps_out(agent),
    }


@router.post(
    "/v1/agent-claims",
    response=ClaimRequestOut,
    openapi_extra=openapi_command("image-skill claim request"),
    summary="Ask a person, by mail, to claim this agent",
    tags=["identity"],
)
def request_claim(request: ApiRequest, body: ClaimRequestIn) -> dict[str, Any]:
    """Ask the contact to become the sponsor; once asked, the same contact is not asked again."""
    agent: Agent = request.auth
    ratelimit.consume(
        "agent-claims",
        agent.public_id,
        limit=settings.CLAIM_REQUESTS_PER_DAY_PER_AGENT,
        per_s=86_400,
    )
    result = requests.request(agent=agent, contact=body.contact)
    if not result.is_new:
        request.warnings.append(_unchanged_warning(agent))
    return {
        "state": "attached" if result.is_new else "unchanged",
        "claim_state": agent.claim_state,
        "claim_request_state": agent.claim_request_state,
        "contact_redacted": inboxes.redact(inboxes.validate_address(body.contact)),
    }


def _unchanged_warning(agent: Agent) -> str:
    if agent.claim_state == Agent.ClaimState.CLAIMED:
        return "This agent is claimed already; its sponsor can hand it over."
    if agent.claim_request_state == Agent.ClaimRequestState.REQUESTED:
        return "This contact has been asked already and may still answer; whoami tells when."
    return "This contact has answered already; ask another person."


@router.get(
    "/v1/activity",
    response=Events,
    openapi_extra=openapi_command("image-skill activity list"),
    summary="List what happened, newest first",
    tags=["activity"],
)
def list_activity(
    request: ApiRequest,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    subject: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> dict[str, Any]:
    """List the organization's events; `next_cursor` leads on, null at the end."""
    agent: Agent = request.auth
    grants.require(agent, "activity.read")
    if subject:
        events = activity.find_by_reference(agent.organization_id, subject)
    else:
        events = activity.for_organization(agent.organization_id)
    if cursor:
        last = events.filter(public_id=cursor).values_list("id", flat=True).first()
        if last is None:
            raise InvalidArguments(
                "The cursor is not one of this list.",
                details=[{"field": "cursor", "message": "use next_cursor of an earlier answer"}],
            )
        events = events.filter(id__lt=last)
    page = list(events[: limit + 1])
    return {
        "events": [event_out(event) for event in page[:limit]],
        "next_cursor": page[limit - 1].public_id if len(page) > limit else None,
        "source": _SOURCE,
    }


@router.get(
    "/v1/activity/{reference}",
    response=Events,
    openapi_extra=openapi_command("image-skill activity show"),
    summary="Show one event, or the events of a job, asset, report, quote, receipt or trace",
    tags=["activity"],
)
def show_activity(request: ApiRequest, reference: str) -> dict[str, Any]:
    """Answer with the event of that id, or the newest 100 that the reference names."""
    agent: Agent = request.auth
    grants.require(agent, "activity.read")
    if ids.is_id("event", reference):
        events = list(activity.for_organization(agent.organization_id).filter(public_id=reference))
    else:
        events = list(activity.find_by_reference(agent.organization_id, reference)[:100])
    if not events:
        raise NotFound(recovery={"suggested_command": "image-skill activity list --json"})
    return {
        "events": [event_out(event) for event in events],
        "next_cursor": None,
        "source": _SOURCE,
    }


def agent_out(agent: Agent) -> dict[str, Any]:
    """Show an agent to itself."""
    return {
        "agent_id": agent.public_id,
        "agent_name": agent.name,
        "runtime": agent.runtime,
        "created_at": clock.iso(agent.created_at),
    }


def caps_out(agent: Agent) -> dict[str, int | None]:
    """Show an agent's caps."""
    return {
        "outputs_per_request": agent.cap_outputs_per_request,
        "credits_per_operation": grants.credits_per_operation(agent),
        "credits_per_day": agent.cap_credits_per_day,
        "credits_per_week": agent.cap_credits_per_week,
        "credits_per_month": agent.cap_credits_per_month,
        "credits_total": agent.cap_credits_total,
    }


def event_out(event: ActivityEvent) -> dict[str, Any]:
    """Show one event as the contract lays it out."""
    return {
        "event_id": event.public_id,
        "type": event.type,
        "occurred_at": clock.iso(event.occurred_at),
        "summary": event.summary,
        "operation": event.operation,
        "subject": {"type": event.subject_type, "id": event.subject_id},
        "links": event.links,
        "status": event.status,
        "cost": event.cost,
        "trace_id": event.trace_id,
        "details": event.details,
    }
