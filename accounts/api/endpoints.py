"""Endpoints of identity and activity."""

from collections.abc import Sequence
from typing import Annotated

from ninja import Query, Router

from accounts import activity, grants
from accounts.api import next_actions, schemas
from accounts.api.auth import bearer, build_actor, request_token
from accounts.claims import inboxes, requests
from accounts.models import ActivityEvent, Agent
from imageskill.lib import clock, ids
from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import InvalidArguments, NotFound
from imageskill.lib.http import ApiRequest

router = Router(auth=bearer)


@router.get(
    "/v1/whoami",
    response=schemas.WhoAmI,
    operation_id="whoami",
    openapi_extra=openapi_command("image-skill whoami"),
    summary="Show who is calling and what they may do",
    tags=["identity"],
)
def whoami(request: ApiRequest) -> schemas.WhoAmI:
    """Return the caller's identity, claim state, token, grants and caps."""
    agent: Agent = request.auth
    token = request_token(request)
    return schemas.WhoAmI(
        authenticated=True,
        actor=schemas.ActorOut.model_validate(build_actor(agent)),
        agent=agent_out(agent),
        organization=schemas.OrganizationOut(organization_id=agent.organization.public_id),
        claim_state=agent.claim_state,
        claim_request_state=agent.claim_request_state,
        suspended=agent.is_suspended,
        token_class="restricted",  # noqa: S106 - a class of tokens, not a token
        session_origin=agent.session_origin,
        token_status="active",  # noqa: S106 - a status
        token_prefix=token.prefix,
        token_created_at=clock.iso(token.created_at),
        grants=agent.grants,
        caps=caps_out(agent),
    )


@router.post(
    "/v1/agent-claims",
    response=schemas.ClaimRequestOut,
    operation_id="request_claim",
    openapi_extra=openapi_command("image-skill claim request"),
    summary="Ask a person by email to claim this agent",
    tags=["identity"],
)
def request_claim(request: ApiRequest, body: schemas.ClaimRequestIn) -> schemas.ClaimRequestOut:
    """Send the contact a claim request; the same contact gets one."""
    agent: Agent = request.auth
    result = requests.request(agent=agent, contact=body.contact)
    if not result.is_new:
        request.warnings.append(_unchanged_warning(agent))
    return schemas.ClaimRequestOut(
        state="attached" if result.is_new else "unchanged",
        claim_state=agent.claim_state,
        claim_request_state=agent.claim_request_state,
        contact_redacted=inboxes.redact(inboxes.validate_address(body.contact)),
    )


def _unchanged_warning(agent: Agent) -> str:
    if agent.claim_state == Agent.ClaimState.CLAIMED:
        return "This agent is already claimed; its sponsor can transfer ownership."
    if agent.claim_request_state == Agent.ClaimRequestState.REQUESTED:
        return "This contact was already asked and may still answer; check claim_state in whoami."
    return "This contact has already answered; ask another person."


@router.get(
    "/v1/activity",
    response=schemas.Events,
    operation_id="list_activity",
    openapi_extra=openapi_command("image-skill activity list"),
    summary="List the organization's events, newest first",
    tags=["activity"],
)
def list_activity(
    request: ApiRequest,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    subject: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> schemas.Events:
    """Return a page of events; `next_cursor` is null on the last page."""
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
                "This cursor does not belong to this list.",
                details=[
                    {"field": "cursor", "message": "must be next_cursor of an earlier answer"}
                ],
            )
        events = events.filter(id__lt=last)
    page = list(events[: limit + 1])
    return _events_out(
        page[:limit], next_cursor=page[limit - 1].public_id if len(page) > limit else None
    )


@router.get(
    "/v1/activity/{reference}",
    response=schemas.Events,
    operation_id="get_activity",
    openapi_extra=openapi_command("image-skill activity show"),
    summary="Show one event, or the events of a job, asset, report, quote, receipt or trace",
    tags=["activity"],
)
def show_activity(request: ApiRequest, reference: str) -> schemas.Events:
    """Return the event with that id, or the newest 100 events of what the reference names."""
    agent: Agent = request.auth
    grants.require(agent, "activity.read")
    if ids.is_id("event", reference):
        events = list(activity.for_organization(agent.organization_id).filter(public_id=reference))
    else:
        events = list(activity.find_by_reference(agent.organization_id, reference)[:100])
    if not events:
        raise NotFound(recovery={"suggested_command": "image-skill activity list --json"})
    return _events_out(events, next_cursor=None)


def agent_out(agent: Agent) -> schemas.AgentOut:
    """Return an agent as it sees itself."""
    return schemas.AgentOut(
        agent_id=agent.public_id,
        agent_name=agent.name,
        runtime=agent.runtime,
        created_at=clock.iso(agent.created_at),
    )


def caps_out(agent: Agent) -> schemas.CapsOut:
    """Return an agent's caps."""
    return schemas.CapsOut(
        outputs_per_request=agent.cap_outputs_per_request,
        credits_per_operation=grants.credits_per_operation(agent),
        credits_per_day=agent.cap_credits_per_day,
        credits_per_week=agent.cap_credits_per_week,
        credits_per_month=agent.cap_credits_per_month,
        credits_total=agent.cap_credits_total,
    )


def event_out(event: ActivityEvent) -> schemas.EventOut:
    """Return one activity event."""
    return schemas.EventOut(
        event_id=event.public_id,
        type=event.type,
        occurred_at=clock.iso(event.occurred_at),
        summary=event.summary,
        operation=event.operation,
        subject=schemas.SubjectOut(type=event.subject_type, id=event.subject_id),
        links=event.links,
        status=event.status,
        cost=event.cost,
        trace_id=event.trace_id,
        details=event.details,
    )


def _events_out(events: Sequence[ActivityEvent], *, next_cursor: str | None) -> schemas.Events:
    return schemas.Events(
        events=[event_out(event) for event in events],
        next_actions=next_actions.after(events),
        next_cursor=next_cursor,
        source="hosted_activity_ledger",
    )
