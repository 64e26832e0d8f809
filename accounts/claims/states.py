"""The claim states and the transitions between them; every other transition is refused."""

from accounts.models import Agent
from imageskill.lib import clock

State = Agent.ClaimState

# The states that each state can change to. Revoked is final.
TRANSITIONS: dict[str, frozenset[str]] = {
    State.UNCLAIMED: frozenset({State.PAYMENT_BACKED_UNCLAIMED, State.CLAIMED, State.REVOKED}),
    State.PAYMENT_BACKED_UNCLAIMED: frozenset({State.CLAIMED, State.REVOKED}),
    State.CLAIMED: frozenset({State.REVOKED}),
    State.REVOKED: frozenset(),
}


class ClaimTransitionRefused(Exception):
    """This transition is not allowed from the agent's claim state."""


def can_transition(source: str, target: str) -> bool:
    """Return whether the transition is allowed."""
    return target in TRANSITIONS[source]


def transition(agent: Agent, *, to: str) -> None:
    """Change the claim state of a locked or just loaded agent, in the caller's transaction.

    Raises `ClaimTransitionRefused` if the transition is not allowed, or if the row is no longer
    in the state that was read.
    """
    if not can_transition(agent.claim_state, to):
        raise ClaimTransitionRefused(f"{agent.claim_state} can't become {to}")
    revoked_at = clock.now() if to == State.REVOKED else None
    changed = Agent.objects.filter(pk=agent.pk, claim_state=agent.claim_state).update(
        claim_state=to, revoked_at=revoked_at
    )
    if changed != 1:
        raise ClaimTransitionRefused(f"the agent is no longer {agent.claim_state}")
    agent.claim_state, agent.revoked_at = to, revoked_at
