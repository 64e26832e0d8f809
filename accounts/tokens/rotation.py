"""Rotation and revocation of an agent's tokens by its sponsor, and the sponsor's alerts."""

from django.db import transaction

from accounts import audit, sponsors
from accounts.mail import alerts
from accounts.models import Agent, Alert, Token, User
from accounts.tokens import minting


def revoke(*, agent: Agent, user: User, lookup: str) -> bool:
    """Revoke one token by its lookup characters; return False if there is none active."""
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
    """Revoke all tokens of an agent and create a new one; return its text."""
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        if locked.is_revoked:
            raise sponsors.SponsorActionRefused(
                "This agent has been revoked permanently and can't get a new token."
            )
        revoked_count = minting.revoke_all(locked, because=Token.RevokedBecause.ROTATED)
        text = minting.create(locked)
        audit.record(
            user=user,
            action="token.replace",
            subject=agent.public_id,
            after={"tokens_ended": revoked_count},
        )
        notify_rotated(locked, by="by you", cause=minting.display_prefix(text))
    return text


def notify_rotated(agent: Agent, *, by: str, cause: str) -> None:
    """Alert the sponsor that a token was rotated; `cause` is the prefix of the new one."""
    alerts.notify_owner(
        agent.organization_id,
        Alert.Kind.TOKEN_ROTATED,
        agent.public_id,
        cause=cause,
        facts={"agent": agent.name, "by": by},
    )
