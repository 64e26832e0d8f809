"""The claim states and the moves between them; every other move is refused."""

from accounts.models import Agent
from imageskill.lib import clock

State = Agent.ClaimState

# From each state, where it may go. Revoked is for good.
TRANSITIONS: dict[str, frozenset[str]] = {
    State.UNCLAIMED: frozenset({State.PAYMENT_BACKED_UNCLAIMED, State.CLAIMED, State.REVOKED}),
    State.PAYMENT_BACKED_UNCLAIMED: frozenset({State.CLAIMED, State.REVOKED}),
    State.CLAIMED: frozenset({State.REVOKED}),
    State.REVOKED: frozenset(),
}


class ClaimTransitionRefused(Exception):
    """The agent's claim state does not lead there."""


def can_transition(source: str, target: str) -> bool:
    """Return whether the table has this move."""
    return target in TRANSITIONS[source]


def transition(agent: Agent, *, to: str) -> None:
    """Move a locked or just loaded agent to another claim state, in the caller's transaction.

    The row is changed only from the state that was read; raises `MoveRefused` when the table
    has no such move or somebody else moved first.
    """
    if not can_transition(agent.claim_state, to):
        raise ClaimTransitionRefused(f"{agent.claim_state} does not lead to {to}")
    revoked_at = clock.now() if to == State.REVOKED else None
    changed = Agent.objects.filter(pk=agent.pk, claim_state=agent.claim_state).update(
        claim_state=to, revoked_at=revoked_at
    )
    if changed != 1:
        raise ClaimTransitionRefused(f"the agent is no longer {agent.claim_state}")
    agent.claim_state, agent.revoked_at = to, revoked_at
