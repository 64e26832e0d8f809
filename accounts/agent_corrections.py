"""Corrections of an agent by staff: its limits, and tokens that leaked."""

from collections.abc import Mapping

from django.db import transaction

from accounts import audit
from accounts.models import Agent, Token, User
from accounts.tokens import minting

CAPS = (
    "cap_outputs_per_request",
    "cap_credits_per_operation",
    "cap_credits_per_day",
    "cap_credits_per_week",
    "cap_credits_per_month",
    "cap_credits_total",
)


def set_caps(*, agent: Agent, user: User, reason: str, caps: Mapping[str, int | None]) -> None:
    """Set all limits of the agent; None means no limit of that kind."""
    with transaction.atomic():
        locked = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
        before = {name: getattr(locked, name) for name in CAPS}
        after = {name: caps[name] for name in CAPS}
        Agent.objects.filter(pk=locked.pk).update(**after)
        audit.record(
            user=user,
            action="agent.set_caps",
            subject=locked.public_id,
            reason=reason,
            before=before,
            after=after,
        )


def revoke_token(*, token: Token, user: User, reason: str) -> bool:
    """Revoke one token; return False if it was revoked already."""
    with transaction.atomic():
        if not minting.revoke(token):
            return False
        audit.record(
            user=user,
            action="token.revoke",
            subject=token.agent.public_id,
            reason=reason,
            after={"token": token.prefix},
        )
    return True
