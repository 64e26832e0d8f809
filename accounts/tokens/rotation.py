"""An agent's tokens in the hands of its sponsor, and what the sponsor is told about them."""

from django.db import transaction

from accounts import audit, sponsors
from accounts.mail import alerts
from accounts.models import Agent, Alert, Token, User
from accounts.tokens import minting


def revoke(*, agent: Agent, user: User, lookup: str) -> bool:
    """End one token by the characters that it is recognized by; False when it had ended."""
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        token = locked.tokens.filter(lookup=lookup).first()
        if token is None or not minting.revoke(token):
            return False
        audit.record(
            user=user,
            action="token.revoke",
            subject=agent.public_id,
            after={"prefix": token.prefix},
        )
    return True


def rotate(*, agent: Agent, user: User) -> str:
    """End all tokens of one's agent and make a new one; its text is seen this once."""
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        if locked.is_revoked:
            raise sponsors.SponsorActionRefused(
                "This agent has been ended for good; it gets no more tokens."
            )
        ended = minting.revoke_all(locked, because=Token.RevokedBecause.ROTATED)
        text = minting.create(locked)
        audit.record(
            user=user,
            action="token.replace",
            subject=agent.public_id,
            after={"tokens_ended": ended},
        )
        notify_rotated(locked, by="by you", cause=minting.display_prefix(text))
    return text


def notify_rotated(agent: Agent, *, by: str, cause: str) -> None:
    """Tell the sponsor that a token was replaced; `cause` is the new one's visible part."""
    alerts.notify_owner(
        agent.organization_id,
        Alert.Kind.TOKEN_ROTATED,
        agent.public_id,
        cause=cause,
        facts={"agent": agent.name, "by": by},
    )
