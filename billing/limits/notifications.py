"""Notifies sponsors that a limit is nearly or fully used: once for each threshold and period."""

from dataclasses import dataclass
from datetime import date

from accounts.mail import alerts
from accounts.models import Agent, Alert

_NEAR_PERCENT = 80
_RESETS = {"a day": "midnight UTC", "a week": "Monday, 00:00 UTC", "a month": "next month"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowUsage:
    """One limit of an agent: its window and first day, and the credits used in it."""

    window: str
    since: date | None
    used: int
    cap: int


def notify_threshold(agent: Agent, use: WindowUsage, *, added: int) -> None:
    """Notify the sponsor if the credits just added cross a threshold, in the caller's transaction.

    Credits that are returned and used again cross it again, without another notification.
    """
    kind = _threshold_passed(before=use.used - added, used=use.used, cap=use.cap)
    if kind is not None:
        _notify(agent, use, kind)


def notify_refused(agent: Agent, use: WindowUsage, *, credits: int) -> None:
    """Notify the sponsor that these credits would exceed the limit; counts as 100 %."""
    if use.used + credits > use.cap:
        _notify(agent, use, Alert.Kind.CAP_REACHED, refused=credits)


def _notify(agent: Agent, use: WindowUsage, kind: str, *, refused: int = 0) -> None:
    alerts.notify_owner(
        agent.organization_id,
        kind,
        agent.public_id,
        cause=f"{agent.public_id}:{use.window}:{use.since}:{use.cap}",
        facts={
            "agent": agent.name,
            "used": use.used,
            "cap": use.cap,
            "window": use.window,
            "resets": _RESETS.get(use.window, ""),
            "refused": refused,
        },
    )


def _threshold_passed(*, before: int, used: int, cap: int) -> str | None:
    near = -(-cap * _NEAR_PERCENT // 100)
    if before < cap <= used:
        return Alert.Kind.CAP_REACHED
    if before < near <= used:
        return Alert.Kind.CAP_NEAR
    return None
