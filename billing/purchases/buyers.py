"""Who buys: an agent for its own organization, or a sponsor for one of theirs."""

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
        """Who it is, as the ledger writes it."""
        if self.agent is not None:
            return f"agent:{self.agent.public_id}"
        return f"sponsor:{self.user.pk}" if self.user is not None else "system"


def agent_buyer(buying: Agent) -> Buyer:
    """Buy as an agent."""
    return Buyer(organization_id=buying.organization_id, agent=buying)


def sponsor_buyer(user: User, *, organization_id: int) -> Buyer:
    """Buy as a person, for an organization that they own; the caller has checked that."""
    return Buyer(organization_id=organization_id, user=user)
