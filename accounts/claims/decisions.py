"""Deciding on a request to claim an agent: accept, decline or report. Looking changes nothing."""

import hashlib

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, sponsors, suspension
from accounts.agent_limits import AgentLimits
from accounts.agent_limits import for_agent as terms_of
from accounts.claims import states
from accounts.mail import alerts
from accounts.models import Agent, Alert, Claim, Organization, User
from imageskill.lib import clock

State = Claim.State
RequestState = Agent.ClaimRequestState

_CLOSED_REASONS = {
    State.ACCEPTED: "This request was accepted already.",
    State.DECLINED: "This request was declined.",
    State.REPORTED: "This request was reported; our staff look into it.",
    State.REPLACED: "A newer link has taken the place of this one. Use the latest mail.",
    State.EXPIRED: "This link has expired. It worked for seven days.",
}


def by_token(token: str) -> Claim | None:
    """Find the request that a mailed link belongs to, whatever became of it."""
    return _with_agent().filter(digest=hash_token(token)).first()


def by_id(public_id: str) -> Claim | None:
    """Find a request by its public id."""
    return _with_agent().filter(public_id=public_id).first()


def pending_for(user: User) -> QuerySet[Claim]:
    """Return the open requests made to a person's confirmed addresses, newest first."""
    return (
        _with_agent()
        .filter(
            state=State.REQUESTED,
            expires_at__gt=clock.now(),
            recipient__address__in=sponsors.confirmed_addresses(user),
        )
        .order_by("-id")
    )


def is_addressed_to(claim: Claim, user: User) -> bool:
    """Return whether the request was made to one of the person's confirmed addresses."""
    return claim.recipient.address in sponsors.confirmed_addresses(user)


def closed_reason(claim: Claim, agent: Agent) -> str:
    """Say in plain words why nobody can decide on this request any more, or nothing."""
    if claim.state in _CLOSED_REASONS:
        return _CLOSED_REASONS[State(claim.state)]
    if claim.expires_at <= clock.now():
        return _CLOSED_REASONS[State.EXPIRED]
    if agent.is_revoked:
        return "This agent has been ended for good. There is nothing left to claim."
    return ""


def conflict_reason(claim: Claim, agent: Agent, user: User) -> str:
    """Say in plain words why this person can't take the agent on, or nothing."""
    if reason := closed_reason(claim, agent):
        return reason
    if not is_addressed_to(claim, user):
        return (
            "This request was made to another address than yours. Sign in with that address, "
            "or ask whoever reads it to pass the request on to you."
        )
    owner_id = agent.organization.owner_id
    if owner_id is None or owner_id == claim.invited_by_id:
        return ""
    if owner_id == user.pk:
        return "This agent is yours already."
    return "Somebody else has claimed this agent already."


def accept(*, claim: Claim, user: User, terms: AgentLimits) -> Agent:
    """Make the person the owner of the agent's organization, under these terms.

    The organization's id, wallets and assets stay as they are. Raises `sponsors.Refused` when
    the request is closed or out of time, was not made to this person, or the agent belongs to
    somebody already.
    """
    with transaction.atomic():
        agent, locked = lock_claim(claim)
        refuse_if(conflict_reason(locked, agent, user))
        former = agent.organization.owner
        before = {
            "claim_state": agent.claim_state,
            "owner": former.email if former else None,
            **terms_of(agent).as_columns(),
        }
        Organization.objects.filter(pk=agent.organization_id).update(owner=user)
        if agent.claim_state != Agent.ClaimState.CLAIMED:
            states.transition(agent, to=Agent.ClaimState.CLAIMED)
        Agent.objects.filter(pk=agent.pk).update(
            claim_request_state=RequestState.ACCEPTED, **terms.as_columns()
        )
        _close(locked, State.ACCEPTED, user)
        audit.record(
            user=user,
            action="claim.accept",
            subject=agent.public_id,
            before=before,
            after={"claim_state": agent.claim_state, "owner": user.email, **terms.as_columns()},
        )
        _notify(agent, locked, user, former)
    agent.refresh_from_db()
    return agent


def decline(*, claim: Claim, user: User | None) -> None:
    """Leave the agent as it is; it learns the answer from whoami.

    Whoever holds the link may decline and report: neither gives anything to anybody.
    """
    with transaction.atomic():
        agent, locked = lock_claim(claim)
        refuse_if(closed_reason(locked, agent))
        _set_request_state(agent, RequestState.DECLINED)
        _close(locked, State.DECLINED, user)
        audit.record(
            user=user, actor="by the link", action="claim.decline", subject=agent.public_id
        )


def report(*, claim: Claim, user: User | None, reason: str) -> None:
    """Suspend an unclaimed agent until staff have looked at it."""
    with transaction.atomic():
        agent, locked = lock_claim(claim)
        refuse_if(closed_reason(locked, agent))
        if agent.claim_state == Agent.ClaimState.CLAIMED:
            # An offer: whoever gets it must not be able to stop another sponsor's agent.
            raise sponsors.SponsorActionRefused(
                "This agent has a sponsor. Decline the offer instead."
            )
        Agent.objects.filter(pk=agent.pk).update(claim_request_state=RequestState.REPORTED)
        _close(locked, State.REPORTED, user)
        suspension.suspend(
            agent=agent,
            user=user,
            actor="by the link",
            reason=f"Reported by whom it asked to claim it. {reason}".strip(),
        )


def lock_claim(claim: Claim) -> tuple[Agent, Claim]:
    """Lock agent, organization and request, in the order that everybody does."""
    agent = (
        Agent.objects.select_for_update(of=("self", "organization"))
        .select_related("organization")
        .get(pk=claim.agent_id)
    )
    locked = (
        Claim.objects.select_for_update(of=("self",))
        .select_related("recipient", "invited_by")
        .get(pk=claim.pk)
    )
    return agent, locked


def refuse_if(reason: str) -> None:
    """Raise `sponsors.Refused` with the reason, if there is one."""
    if reason:
        raise sponsors.SponsorActionRefused(reason)


def hash_token(token: str) -> bytes:
    """Hash a link's token; 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def _with_agent() -> QuerySet[Claim]:
    return Claim.objects.select_related("agent__organization", "recipient", "invited_by")


def _set_request_state(agent: Agent, state: str) -> None:
    # An offer from one sponsor to another leaves the agent's own request as it was answered.
    if agent.claim_state != Agent.ClaimState.CLAIMED:
        Agent.objects.filter(pk=agent.pk).update(claim_request_state=state)


def _close(claim: Claim, state: str, user: User | None) -> None:
    Claim.objects.filter(pk=claim.pk).update(state=state, decided_at=clock.now(), decided_by=user)


def _notify(agent: Agent, claim: Claim, user: User, former: User | None) -> None:
    facts = {"agent": agent.name, "by": user.email}
    alerts.notify(user, Alert.Kind.CLAIMED, agent.public_id, cause=claim.public_id, facts=facts)
    if former is not None and former != user:
        alerts.notify(
            former, Alert.Kind.HANDED_OVER, agent.public_id, cause=claim.public_id, facts=facts
        )
