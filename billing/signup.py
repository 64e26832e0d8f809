"""Signup: creates an agent, its organization, its wallets and its starter credits at once."""

import hashlib
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from accounts import agents
from accounts.claims import requests
from accounts.models import Agent, Token
from accounts.tokens import minting, rotation
from billing import ledger
from imageskill.lib import clock


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A new account, with its token, which is never available again."""

    agent: Agent
    token: str
    starter_credits: int


def open_account(
    *,
    name: str,
    runtime: str,
    contact: str,
    network: str,
    discovery_source: str = "",
    is_bounded: bool = True,
) -> NewAccount:
    """Sign an agent up with wallets and starter credits, all or nothing.

    Starter credits are limited for each contact, and for each network and day: above a limit
    the account is opened without them. `is_bounded` says whether the network counts.
    """
    with transaction.atomic():
        signed_up = agents.sign_up(
            name=name,
            runtime=runtime,
            contact=contact,
            network=network,
            discovery_source=discovery_source,
        )
        agent = signed_up.agent
        ledger.open_wallets(organization_id=agent.organization_id)
        has_starter = _count_starter_grant(agent.contact, network if is_bounded else "")
        credits = settings.PREVIEW_CREDITS if has_starter else 0
        if credits:
            ledger.grant_preview(
                organization_id=agent.organization_id,
                credits=credits,
                key=f"signup:{agent.public_id}",
                actor="system:signup",
                reason="starter credits",
                reference=agent.public_id,
            )
        if agent.contact:
            requests.request(agent=agent, contact=agent.contact)
    return NewAccount(agent=agent, token=signed_up.token, starter_credits=credits)


def rotate_token(token: Token) -> str:
    """Replace the caller's token by a fresh one, and notify its sponsor."""
    with transaction.atomic():
        text = minting.rotate(token)
        rotation.notify_rotated(
            token.agent, by="by the agent itself", cause=minting.display_prefix(text)
        )
        return text


def _count_starter_grant(contact: str, network: str) -> bool:
    """Count one starter grant for its sources; False where one of them has reached its limit."""
    bounds = []
    if contact:
        digest = hashlib.sha256(contact.encode()).hexdigest()
        bounds.append((f"contact:{digest}", settings.STARTER_GRANTS_PER_CONTACT))
    if network:
        day = clock.utc_day(clock.now())
        bounds.append((f"network:{network}:{day}", settings.STARTER_GRANTS_PER_DAY_PER_NETWORK))
    return all(_count_within_limit(source, limit) for source, limit in bounds)


_COUNT = """
INSERT INTO billing_startercount AS count (source, grants, updated_at)
SELECT %(source)s, 1, %(now)s WHERE %(limit)s > 0
ON CONFLICT (source) DO UPDATE SET grants = count.grants + 1, updated_at = %(now)s
 WHERE count.grants < %(limit)s
RETURNING grants
"""


def _count_within_limit(source: str, limit: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"source": source, "limit": limit, "now": clock.now()})
        return cursor.fetchone() is not None
