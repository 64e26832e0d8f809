"""What all parts of a history share."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import Agent, User
from accounts.tokens import minting
from imageskill.dev.demo.runtime.provider import DemoProvider
from imageskill.dev.demo.runtime.random import SeededRandom
from imageskill.dev.demo.runtime.timeline import Timeline
from imageskill.dev.demo.runtime.vendors import Vendors


@dataclass(slots=True, eq=False)
class Customer:
    """An agent, with what is planned for it."""

    token: str
    agent_id: int
    organization_id: int
    contact: str
    pays: bool
    until: datetime  # when it falls silent
    sponsor: User | None = None

    def agent(self) -> Agent:
        """Return the agent as it is now; raises AuthRequired once it is revoked."""
        return minting.verify(self.token).agent


@dataclass(frozen=True, slots=True)
class Context:
    """Choices, clock, vendors, provider, staff by role, and the agents so far."""

    random: SeededRandom
    timeline: Timeline
    vendors: Vendors
    provider: DemoProvider
    begin: datetime
    end: datetime
    seed: int
    staff: dict[str, User] = field(default_factory=dict)
    customers: list[Customer] = field(default_factory=list)

    def payers(self) -> Iterator[Customer]:
        """Yield the paying agents that are at work now."""
        for customer in self.customers:
            if customer.pays and customer.until >= self.timeline.now:
                yield customer
