"""Checks of what an agent may do: grants, limits per operation and suspension."""

import shlex

from django.conf import settings

from accounts.models import Agent
from imageskill.lib.errors import ApiError, Recovery

GRANTS = {
    "image.create": "create images",
    "image.edit": "edit images",
    "asset.upload": "upload images",
    "credits.quote": "request credit quotes",
    "credits.buy": "buy credits",
    "feedback.create": "send feedback",
    "activity.read": "read its activity",
    "output.batch": "request several outputs at once",
    "provenance.read": "see which provider and model created an image",
}

NEW_AGENT_GRANTS = tuple(grant for grant in GRANTS if grant != "provenance.read")

# A suspended agent can still read, send feedback and call whoami.
_SPENDING = frozenset(
    {"image.create", "image.edit", "asset.upload", "credits.quote", "credits.buy"}
)


class CapabilityDenied(ApiError):
    """The claim state, a missing grant, a limit or a suspension forbids it."""

    code = "CAPABILITY_DENIED"
    status = 403
    exit_code = 4
    message = "This agent may not do that."


def require(agent: Agent, grant: str) -> None:
    """Raise `CapabilityDenied` unless the agent has the grant and is not suspended."""
    if agent.is_suspended and grant in _SPENDING:
        raise CapabilityDenied(
            "This agent is suspended: reading and feedback work, spending and uploads don't. "
            "Its sponsor or support can lift it.",
            recovery={"docs_url": f"{settings.PUBLIC_SITE_URL}/llms.txt"},
        )
    if grant not in agent.grants:
        raise CapabilityDenied(
            f"This agent lacks the grant {grant} ({GRANTS[grant]}). {_who_can_help(agent)}",
            recovery=access_recovery(agent),
        )


def check_operation(agent: Agent, *, credits: int, outputs: int) -> None:
    """Raise `CapabilityDenied` for an operation above the agent's limits per operation."""
    if outputs > 1:
        require(agent, "output.batch")
    if outputs > agent.cap_outputs_per_request:
        raise CapabilityDenied(
            f"This agent may ask for at most {agent.cap_outputs_per_request} outputs in one "
            f"request, not {outputs}. {_who_can_help(agent)}",
            recovery=access_recovery(agent),
        )
    cap = credits_per_operation(agent)
    if credits > cap:
        raise CapabilityDenied(
            f"This operation takes {credits} credits; the cap for one operation is "
            f"{cap}. {_who_can_help(agent)}",
            recovery=access_recovery(agent),
        )


def credits_per_operation(agent: Agent) -> int:
    """Return the limit per operation; for paid but unclaimed agents a setting bounds it too."""
    if agent.claim_state == Agent.ClaimState.PAYMENT_BACKED_UNCLAIMED:
        return min(agent.cap_credits_per_operation, settings.PAYMENT_BACKED_CREDITS_PER_OPERATION)
    return agent.cap_credits_per_operation


def access_recovery(agent: Agent) -> Recovery:
    """Return how the agent can get a grant or a higher limit."""
    if agent.claim_state == Agent.ClaimState.CLAIMED:
        return {"docs_url": f"{settings.PUBLIC_SITE_URL}/agents/{agent.public_id}"}
    contact = shlex.quote(agent.contact or "CONTACT")
    return {"suggested_command": f"image-skill claim request --contact {contact} --json"}


def _who_can_help(agent: Agent) -> str:
    if agent.claim_state == Agent.ClaimState.CLAIMED:
        return "Its sponsor can change that on the agent's page."
    return "A human sponsor who claims the agent can change that."
