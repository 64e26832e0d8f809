"""Decisions on a claim request: accept, decline or report. Viewing it changes nothing."""

import hashlib
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts import agent_limits, audit, sponsors, suspension
from accounts.agent_limits import AgentLimits
from accounts.claims import states
from accounts.mail import alerts
from accounts.models import Agent, Alert, Claim, Organization, Token, User
from accounts.tokens import minting
from imageskill.lib import clock

State = Claim.State
RequestState = Agent.ClaimRequestState

_CLOSED_REASONS = {
    State.ACCEPTED: "This request was already accepted.",
    State.DECLINED: "This request was declined.",
    State.REPORTED: "This request was reported. Our staff are reviewing it.",
    State.REPLACED: "This link was replaced by a newer one. Use the latest email.",
    State.EXPIRED: "This link has expired. Links are valid for 7 days.",
}


def by_token(token: str) -> Claim | None:
    """Return the request of an emailed link, in any state."""
    return _with_agent().filter(digest=hash_token(token)).first()


def by_id(public_id: str) -> Claim | None:
    """Return a request by its public id."""
    return _with_agent().filter(public_id=public_id).first()


def pending_for(user: User) -> QuerySet[Claim]:
    """Return the open requests to a user's verified emails, newest first."""
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
    """Return whether the request was sent to one of the user's verified emails."""
    return claim.recipient.address in sponsors.confirmed_addresses(user)


def closed_reason(claim: Claim, agent: Agent) -> str:
    """Return why this request can no longer be decided, or an empty string."""
    if claim.state in _CLOSED_REASONS:
        return _CLOSED_REASONS[State(claim.state)]
    if claim.expires_at <= clock.now():
        return _CLOSED_REASONS[State.EXPIRED]
    if agent.is_revoked:
        return "This agent has been revoked permanently and can no longer be claimed."
    return ""


def conflict_reason(claim: Claim, agent: Agent, user: User) -> str:
    """Return why this user can't claim the agent, or an empty string."""
    if reason := closed_reason(claim, agent):
        return reason
    if not is_addressed_to(claim, user):
        return (
            "This request was sent to a different email. Sign in with that email, or ask its "
            "recipient to forward the request to you."
        )
    owner_id = agent.organization.owner_id
    if owner_id is None or owner_id == claim.invited_by_id:
        return ""
    if owner_id == user.pk:
        return "You are already the sponsor of this agent."
    return "Someone else has already claimed this agent."


def accept(*, claim: Claim, user: User, limits: AgentLimits, keeps_tokens: bool = False) -> Agent:
    """Make the user the owner of the agent's organization and set the agent's limits.

    The organization keeps its id, wallets and assets. Tokens that an earlier sponsor could know
    are revoked, unless the new one keeps them. Raises `sponsors.SponsorActionRefused` if the
    request is closed or expired or was sent to someone else, or the agent has a sponsor.
    """
    with transaction.atomic():
        agent, locked = lock_claim(claim)
        refuse_if(conflict_reason(locked, agent, user))
        previous_owner = agent.organization.owner
        before = {
            "claim_state": agent.claim_state,
            "owner": previous_owner.email if previous_owner else None,
            **agent_limits.for_agent(agent).as_columns(),
        }
        Organization.objects.filter(pk=agent.organization_id).update(owner=user)
        if agent.claim_state != Agent.ClaimState.CLAIMED:
            states.transition(agent, to=Agent.ClaimState.CLAIMED)
        Agent.objects.filter(pk=agent.pk).update(
            claim_request_state=RequestState.ACCEPTED, **limits.as_columns()
        )
        _close(locked, State.ACCEPTED, user)
        is_transfer = previous_owner is not None and previous_owner != user
        revoked_count = _revoke_tokens(agent) if is_transfer and not keeps_tokens else 0
        audit.record(
            user=user,
            action="claim.accept",
            subject=agent.public_id,
            before=before,
            after={
                "claim_state": agent.claim_state,
                "owner": user.email,
                "tokens_ended": revoked_count,
                **limits.as_columns(),
            },
        )
        _notify(agent, locked, user, previous_owner, tokens_revoked=bool(revoked_count))
    agent.refresh_from_db()
    return agent


def decline(*, claim: Claim, user: User | None) -> None:
    """Decline the request. The agent stays as it is and learns the answer from whoami.

    Anyone with the link can decline or report: neither gives anyone access to anything.
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
    """Report the request, which suspends an unclaimed agent until staff have reviewed it."""
    with transaction.atomic():
        agent, locked = lock_claim(claim)
        refuse_if(closed_reason(locked, agent))
        if agent.claim_state == Agent.ClaimState.CLAIMED:
            # A transfer offer: its recipient must not be able to suspend another sponsor's agent.
            raise sponsors.SponsorActionRefused(
                "This agent has a sponsor. Decline the offer instead."
            )
        Agent.objects.filter(pk=agent.pk).update(claim_request_state=RequestState.REPORTED)
        _close(locked, State.REPORTED, user)
        suspension.suspend(
            agent=agent,
            user=user,
            actor="by the link",
            reason=f"Reported by the recipient of its claim request. {reason}".strip(),
        )


def lock_claim(claim: Claim) -> tuple[Agent, Claim]:
    """Lock agent, organization and request, always in this order to avoid deadlocks.

    Not their keys: jobs and uploads lock their organization to count its bytes, and refer to
    their agent afterwards.
    """
    agent = (
        Agent.objects.select_for_update(of=("self", "organization"), no_key=True)
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
    """Raise `sponsors.SponsorActionRefused` if there is a reason."""
    if reason:
        raise sponsors.SponsorActionRefused(reason)


def hash_token(token: str) -> bytes:
    """Return the hash of a link's token; 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def _with_agent() -> QuerySet[Claim]:
    return Claim.objects.select_related("agent__organization", "recipient", "invited_by")


def _revoke_tokens(agent: Agent) -> int:
    """Revoke the tokens of all agents of the organization, whose owner changes as a whole."""
    owned = Agent.objects.filter(organization_id=agent.organization_id)
    return sum(minting.revoke_all(one, because=Token.RevokedBecause.TRANSFERRED) for one in owned)


def _set_request_state(agent: Agent, state: str) -> None:
    # A transfer offer does not change the answer to the agent's own request.
    if agent.claim_state != Agent.ClaimState.CLAIMED:
        Agent.objects.filter(pk=agent.pk).update(claim_request_state=state)


def _close(claim: Claim, state: str, user: User | None) -> None:
    Claim.objects.filter(pk=claim.pk).update(state=state, decided_at=clock.now(), decided_by=user)


def _notify(
    agent: Agent,
    claim: Claim,
    user: User,
    previous_owner: User | None,
    *,
    tokens_revoked: bool,
) -> None:
    about: dict[str, Any] = {
        "subject": agent.public_id,
        "cause": claim.public_id,
        "facts": {"agent": agent.name, "by": user.email, "tokens_revoked": tokens_revoked},
    }
    alerts.notify(user, Alert.Kind.CLAIMED, **about)
    if previous_owner is not None and previous_owner != user:
        alerts.notify(previous_owner, Alert.Kind.HANDED_OVER, **about)
