"""What an agent may do: its grants, its caps for one operation, and suspension."""

from django.conf import settings

from accounts.models import Agent
from imageskill.lib.errors import ApiError, Recovery

GRANTS = {
    "image.create": "create images",
    "image.edit": "edit images",
    "asset.upload": "upload images",
    "credits.quote": "ask for credit quotes",
    "credits.buy": "buy credits",
    "feedback.create": "leave feedback",
    "activity.read": "read its activity",
    "output.batch": "ask for several outputs at once",
    "provenance.read": "see which provider and model made an image",
}

NEW_AGENT_GRANTS = tuple(grant for grant in GRANTS if grant != "provenance.read")

# A suspended agent still reads, reports and asks who it is.
_SPENDING = frozenset(
    {"image.create", "image.edit", "asset.upload", "credits.quote", "credits.buy"}
)


class CapabilityDenied(ApiError):
    """Claim state, a grant, a cap or a suspension forbids it."""

    code = "CAPABILITY_DENIED"
    status = 403
    exit_code = 4
    message = "This agent may not do that."


def require(agent: Agent, grant: str) -> None:
    """Refuse with `CapabilityDenied` unless the agent has the grant and isn't suspended."""
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
    """Refuse an operation above the agent's caps for one operation."""
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
    """Return the cap for one operation; paid but unclaimed agents have a bound too."""
    if agent.claim_state == Agent.ClaimState.PAYMENT_BACKED_UNCLAIMED:
        return min(agent.cap_credits_per_operation, settings.PAYMENT_BACKED_CREDITS_PER_OPERATION)
    return agent.cap_credits_per_operation


def access_recovery(agent: Agent) -> Recovery:
    """Return how the agent comes to a grant or a higher cap."""
    if agent.claim_state == Agent.ClaimState.CLAIMED:
        return {"docs_url": f"{settings.PUBLIC_SITE_URL}/agents/{agent.public_id}"}
    contact = agent.contact or "CONTACT"
    return {"suggested_command": f"image-skill claim request --agent-contact {contact} --json"}


def _who_can_help(agent: Agent) -> str:
    if agent.claim_state == Agent.ClaimState.CLAIMED:
        return "Its sponsor can change that on the agent's page."
    return "A human sponsor who claims the agent can change that."
