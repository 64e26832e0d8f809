"""Buyers: an agent for its own organization, or a sponsor for one of theirs."""

from dataclasses import dataclass

from accounts.models import Agent, User


@dataclass(frozen=True, slots=True)
class Buyer:
    """An organization's agent or owner; exactly one of them is set."""

    organization_id: int
    agent: Agent | None = None
    user: User | None = None

    @property
    def actor(self) -> str:
        """The buyer, as ledger and audit name it."""
        if self.agent is not None:
            return f"agent:{self.agent.public_id}"
        return f"sponsor:{self.user.pk}" if self.user is not None else "system"


def agent_buyer(agent: Agent) -> Buyer:
    """Return an agent as the buyer for its own organization."""
    return Buyer(organization_id=agent.organization_id, agent=agent)


def sponsor_buyer(user: User, *, organization_id: int) -> Buyer:
    """Return a person as the buyer for an organization; the caller has checked that they own it."""
    return Buyer(organization_id=organization_id, user=user)
