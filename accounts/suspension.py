"""Suspension: a flag beside the claim state. Reading and feedback go on; spending stops."""

from django.db import transaction

from accounts import audit, sponsors
from accounts.models import Agent, AuditLine, User
from imageskill.lib import clock

_PAUSED = "Paused by its sponsor."


def suspend(*, agent: Agent, user: User | None, reason: str, actor: str = "system") -> bool:
    """Stop the agent's spending and uploads at once; False when it was suspended already.

    Work that was accepted goes on to its end.
    """
    with transaction.atomic():
        locked = Agent.objects.select_for_update().get(pk=agent.pk)
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
    """Let the agent work again; False when it wasn't suspended."""
    with transaction.atomic():
        locked = Agent.objects.select_for_update().get(pk=agent.pk)
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
    """Stop one's agent at once, by its sponsor, who may also let it go on."""
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        return suspend(agent=locked, user=user, reason=_PAUSED)


def resume(*, agent: Agent, user: User) -> bool:
    """Let one's agent go on; refused where somebody else than its sponsor stopped it."""
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        if locked.is_suspended and not is_paused_by(locked, user):
            raise sponsors.SponsorActionRefused(
                "Our staff stopped this agent; only they can let it go on."
            )
        return reinstate(agent=locked, user=user, reason="Let go on by its sponsor.")


def is_paused_by(agent: Agent, user: User) -> bool:
    """Return whether this person was the one who stopped the agent."""
    lines = AuditLine.objects.filter(subject=agent.public_id, action="agent.suspend")
    latest = lines.order_by("-id").first()
    return agent.suspension_reason == _PAUSED and latest is not None and latest.user_id == user.pk


def suspension_message(agent: Agent) -> str:
    """Say to its sponsor why an agent is stopped; what staff noted is theirs."""
    if agent.suspension_reason == _PAUSED:
        return "Its sponsor stopped it and can let it go on, in its settings."
    return "Our staff stopped it and look into it."
