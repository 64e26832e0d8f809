"""Telling sponsors that a cap is nearly or wholly used: once for each threshold and period."""

from datetime import date

from accounts import alerts
from accounts.models import Agent, Alert

_NEAR_PERCENT = 80
_RESETS = {"a day": "midnight UTC", "a week": "Monday, 00:00 UTC", "a month": "next month"}


def tell(agent: Agent, *, window: str, since: date | None, used: int, added: int, cap: int) -> None:
    """Tell the sponsor if the credits just added pass a threshold, in the caller's transaction.

    Credits that are given back and used again pass it again, and are not told of again.
    """
    kind = _passed(before=used - added, used=used, cap=cap)
    if kind is None:
        return
    alerts.tell_owner(
        agent.organization_id,
        kind,
        agent.public_id,
        cause=f"{agent.public_id}:{window}:{since}:{cap}",
        facts={
            "agent": agent.name,
            "used": used,
            "cap": cap,
            "window": window,
            "resets": _RESETS.get(window, ""),
        },
    )


def _passed(*, before: int, used: int, cap: int) -> str | None:
    near = -(-cap * _NEAR_PERCENT // 100)
    if before < cap <= used:
        return Alert.Kind.CAP_REACHED
    if before < near <= used:
        return Alert.Kind.CAP_NEAR
    return None
