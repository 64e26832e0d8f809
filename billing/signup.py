"""Signup: creates an agent, its organization, its wallets and its starter credits at once."""

import hashlib
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import connection, transaction

from accounts import agents, contacts
from accounts.claims import requests
from accounts.mail import alerts
from accounts.models import Agent, Alert, Token
from accounts.tokens import minting, rotation
from billing import ledger
from billing.models import StarterCount
from imageskill.lib import clock

log = structlog.get_logger(__name__)


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
    networks: list[str],
    discovery_source: str = "",
    is_bounded: bool = True,
) -> NewAccount:
    """Sign an agent up with wallets and starter credits, all or nothing.

    Starter credits are limited for each inbox, for each network and day, and for each day in all:
    above a limit the account is opened without them. `networks` are those of the caller's
    address, narrowest first; `is_bounded` says whether they count.
    """
    with transaction.atomic():
        signed_up = agents.sign_up(
            name=name,
            runtime=runtime,
            contact=contact,
            network=networks[0],
            discovery_source=discovery_source,
        )
        agent = signed_up.agent
        ledger.open_wallets(organization_id=agent.organization_id)
        has_starter = _count_starter_grant(agent.contact, networks if is_bounded else [])
        credits = settings.PREVIEW_CREDITS if has_starter else 0
        if not has_starter and is_daily_ceiling_reached():
            _report_daily_ceiling()
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


def networks_with_limits(networks: list[str], limit: int) -> list[tuple[str, int]]:
    """Return each network with its limit, which doubles with each wider one."""
    return [(network, limit * 2**width) for width, network in enumerate(networks)]


def is_daily_ceiling_reached() -> bool:
    """Return whether today's accounts open without credits because too many have got them."""
    source, limit = _daily_ceiling()
    return limit <= 0 or StarterCount.objects.filter(source=source, grants__gte=limit).exists()


def _count_starter_grant(contact: str, networks: list[str]) -> bool:
    """Count one starter grant for its sources; False where one of them has reached its limit."""
    if is_daily_ceiling_reached():
        return False  # before anything is counted: nobody's limit is used for nothing
    bounds = []
    if contact:
        digest = hashlib.sha256(contacts.inbox_of(contact).encode()).hexdigest()
        bounds.append((f"contact:{digest}", settings.STARTER_GRANTS_PER_CONTACT))
    day = clock.utc_day(clock.now())
    per_network = settings.STARTER_GRANTS_PER_DAY_PER_NETWORK
    for network, limit in networks_with_limits(networks, per_network):
        bounds.append((f"network:{network}:{day}", limit))
    bounds.append(_daily_ceiling())  # last: everybody waits for its row
    return all(_count_within_limit(source, limit) for source, limit in bounds)


def _report_daily_ceiling() -> None:
    """Log that today's free credits are used up, and email it once."""
    limit, day = settings.STARTER_GRANTS_PER_DAY, str(clock.utc_day(clock.now()))
    log.error("starter_grants_exhausted", limit=limit)
    if limit <= 0:
        return  # on purpose, every day
    facts = {"limit": limit, "day": day}
    alerts.notify_superusers(Alert.Kind.STARTER_CEILING, f"day:{day}", cause=day, facts=facts)


def _daily_ceiling() -> tuple[str, int]:
    return f"all:{clock.utc_day(clock.now())}", settings.STARTER_GRANTS_PER_DAY


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
