"""Permissions and limits of an agent, as its sponsor sets them."""

from dataclasses import dataclass

from django.db import transaction

from accounts import audit, grants, sponsors
from accounts.models import Agent, User


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """Grants and limits of one agent. None means no limit."""

    grants: tuple[str, ...]
    outputs_per_request: int
    credits_per_operation: int
    credits_per_day: int | None = None
    credits_per_week: int | None = None
    credits_per_month: int | None = None
    credits_total: int | None = None

    def as_columns(self) -> dict[str, object]:
        """Return the limits as columns of the agent."""
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
    """Return the current limits of an agent."""
    return AgentLimits(
        grants=tuple(agent.grants),
        outputs_per_request=agent.cap_outputs_per_request,
        credits_per_operation=agent.cap_credits_per_operation,
        credits_per_day=agent.cap_credits_per_day,
        credits_per_week=agent.cap_credits_per_week,
        credits_per_month=agent.cap_credits_per_month,
        credits_total=agent.cap_credits_total,
    )


def update(*, agent: Agent, user: User, limits: AgentLimits) -> bool:
    """Set an agent's limits as its sponsor; return False if they are unchanged.

    They apply from the next request on; accepted jobs finish. Raises
    `sponsors.SponsorActionRefused` for anyone but the owner.
    """
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        before, after = for_agent(locked).as_columns(), limits.as_columns()
        if before == after:
            return False
        Agent.objects.filter(pk=locked.pk).update(**after)
        audit.record(
            user=user, action="agent.terms", subject=agent.public_id, before=before, after=after
        )
    return True
