"""Suspension: a flag beside the claim state that stops spending and uploads, not reading."""

from django.db import transaction

from accounts import audit, sponsors
from accounts.models import Agent, AuditLine, User
from imageskill.lib import clock

_PAUSED = "Paused by its sponsor."  # stored; tells a pause from a suspension by staff


def suspend(*, agent: Agent, user: User | None, reason: str, actor: str = "system") -> bool:
    """Stop the agent's spending and uploads immediately; return False if it was suspended already.

    Jobs that were accepted before finish.
    """
    with transaction.atomic():
        locked = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
        if locked.is_suspended:
            return False
        locked.suspended_at, locked.suspension_reason = clock.now(), reason[:500]
        locked.save(update_fields=["suspended_at", "suspension_reason"])
        audit.record(
            user=user, actor=actor, action="agent.suspend", subject=agent.public_id, reason=reason
        )
    agent.suspended_at, agent.suspension_reason = locked.suspended_at, locked.suspension_reason
    return True


def reinstate(*, agent: Agent, user: User, reason: str) -> bool:
    """Lift the suspension; return False if the agent was not suspended."""
    with transaction.atomic():
        locked = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
        if not locked.is_suspended:
            return False
        before = locked.suspension_reason
        locked.suspended_at, locked.suspension_reason = None, ""
        locked.save(update_fields=["suspended_at", "suspension_reason"])
        audit.record(
            user=user,
            action="agent.reinstate",
            subject=agent.public_id,
            reason=reason,
            before={"suspension_reason": before},
        )
    agent.suspended_at, agent.suspension_reason = None, ""
    return True


def pause(*, agent: Agent, user: User) -> bool:
    """Suspend an agent as its sponsor, who can also resume it."""
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        return suspend(agent=locked, user=user, reason=_PAUSED)


def resume(*, agent: Agent, user: User) -> bool:
    """Lift the suspension as its sponsor; refused if staff suspended the agent."""
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        if locked.is_suspended and not is_paused_by(locked, user):
            raise sponsors.SponsorActionRefused(
                "Our staff suspended this agent. Contact support to have it reinstated."
            )
        return reinstate(agent=locked, user=user, reason="Resumed by its sponsor.")


def is_paused_by(agent: Agent, user: User) -> bool:
    """Return whether this user paused the agent.

    The reason alone is not enough: staff can type the same words.
    """
    lines = AuditLine.objects.filter(subject=agent.public_id, action="agent.suspend")
    latest = lines.order_by("-id").first()
    return agent.suspension_reason == _PAUSED and latest is not None and latest.user_id == user.pk


def label(agent: Agent) -> str:
    """Return the status that a sponsor sees of a suspended agent."""
    return "Paused" if agent.suspension_reason == _PAUSED else "Suspended"


def suspension_message(agent: Agent) -> str:
    """Return the explanation that a sponsor sees. The reason that staff noted stays internal."""
    if agent.suspension_reason == _PAUSED:
        return "Its sponsor paused it and can resume it in its settings."
    return "Our staff suspended it and are reviewing it."
