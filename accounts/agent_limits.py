"""Terms: what a sponsor lets an agent do, and how much of it."""

from dataclasses import dataclass

from django.db import transaction

from accounts import audit, grants, sponsors
from accounts.models import Agent, User


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """Grants and caps of one agent. None is no cap."""

    grants: tuple[str, ...]
    outputs_per_request: int
    credits_per_operation: int
    credits_per_day: int | None = None
    credits_per_week: int | None = None
    credits_per_month: int | None = None
    credits_total: int | None = None

    def as_columns(self) -> dict[str, object]:
        """Write the terms as columns of the agent."""
        return {
            "grants": [grant for grant in grants.GRANTS if grant in self.grants],
            "cap_outputs_per_request": self.outputs_per_request,
            "cap_credits_per_operation": self.credits_per_operation,
            "cap_credits_per_day": self.credits_per_day,
            "cap_credits_per_week": self.credits_per_week,
            "cap_credits_per_month": self.credits_per_month,
            "cap_credits_total": self.credits_total,
        }


def for_agent(agent: Agent) -> AgentLimits:
    """Read the terms that an agent works under."""
    return AgentLimits(
        grants=tuple(agent.grants),
        outputs_per_request=agent.cap_outputs_per_request,
        credits_per_operation=agent.cap_credits_per_operation,
        credits_per_day=agent.cap_credits_per_day,
        credits_per_week=agent.cap_credits_per_week,
        credits_per_month=agent.cap_credits_per_month,
        credits_total=agent.cap_credits_total,
    )


def update(*, agent: Agent, user: User, terms: AgentLimits) -> bool:
    """Put an agent under other terms, by its sponsor; False when they are the same.

    They bind from the next request on: work that was accepted goes on. Raises
    `sponsors.Refused` for anybody but the owner.
    """
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        before, after = for_agent(locked).as_columns(), terms.as_columns()
        if before == after:
            return False
        Agent.objects.filter(pk=locked.pk).update(**after)
        audit.record(
            user=user, action="agent.terms", subject=agent.public_id, before=before, after=after
        )
    return True
