"""How many bytes of images an organization may store, by the claim state of the agent that asks."""

from django.conf import settings

from accounts.models import Agent

_State = Agent.ClaimState


def limit_bytes(agent: Agent) -> int:
    """Return how many bytes the agent's organization may store."""
    if agent.claim_state == _State.CLAIMED:
        return settings.STORAGE_BYTES_CLAIMED
    if agent.claim_state == _State.PAYMENT_BACKED_UNCLAIMED:
        return settings.STORAGE_BYTES_PAYMENT_BACKED
    return settings.STORAGE_BYTES_PREVIEW
