"""Agents: signup and revocation."""

import re
import unicodedata
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from accounts import audit, contacts, grants
from accounts.claims import states
from accounts.models import Agent, Organization, User
from accounts.tokens import minting

_INVISIBLE = {"Cf", "Cs", "Co", "Cn"}  # bidi controls and zero-width characters among them
_FORBIDDEN_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]|://|www\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NewAgent:
    """A new agent and its token, which can't be shown again."""

    agent: Agent
    token: str


def is_plain_name(text: str) -> bool:
    """Return whether a name has 1 to 80 visible characters on one line, and no URL.

    Names are shown in emails and pages: a link in one would be sent in our name.
    """
    return (
        1 <= len(text) <= 80
        and text.strip() == text
        and not _FORBIDDEN_IN_NAMES.search(text)
        and not any(unicodedata.category(char) in _INVISIBLE for char in text)
    )


def sign_up(
    *, name: str, runtime: str, contact: str, network: str, discovery_source: str = ""
) -> NewAgent:
    """Create an organization with its first agent and token, in the caller's transaction.

    The same contact, name and runtime create another agent: knowing them gives no access to an
    existing one.
    """
    agent = Agent.objects.create(
        organization=Organization.objects.create(),
        name=name,
        runtime=runtime,
        contact=contacts.normalize(contact),
        grants=list(grants.NEW_AGENT_GRANTS),
        cap_outputs_per_request=settings.NEW_AGENT_OUTPUTS_PER_REQUEST,
        cap_credits_per_operation=settings.NEW_AGENT_CREDITS_PER_OPERATION,
        signup_network=network,
        discovery_source=discovery_source,
    )
    return NewAgent(agent=agent, token=minting.create(agent))


def revoke(agent: Agent, *, user: User | None, reason: str) -> None:
    """Revoke an agent permanently and all its tokens. Its images and credits stay its owner's."""
    with transaction.atomic():
        locked = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
        before = locked.claim_state
        states.transition(locked, to=Agent.ClaimState.REVOKED)
        revoked_count = minting.revoke_all(locked)
        audit.record(
            user=user,
            action="agent.revoke",
            subject=locked.public_id,
            reason=reason,
            before={"claim_state": before},
            after={"claim_state": locked.claim_state, "tokens_ended": revoked_count},
        )
    agent.claim_state, agent.revoked_at = locked.claim_state, locked.revoked_at
