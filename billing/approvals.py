"""Deciding what somebody else asked for: never who asked, never twice, never too late."""

from datetime import datetime
from typing import Protocol

from accounts.models import User
from billing.models import CreditCorrection, PackChange, RefundRequest
from billing.models.approvals import SecondPerson
from imageskill.lib import clock

KINDS = (RefundRequest, CreditCorrection, PackChange)

APPROVE = "accounts.refund_approve"
APPROVE_LIMITED = "accounts.refund_approve_limited"
APPROVE_LEDGER = "accounts.ledger_approve"


class NotDecidable(Exception):
    """This person may not decide this request, or it has been decided or has expired."""


class _Sized(Protocol):
    """Something that approvals up to a limit measure."""

    state: str
    requested_by_id: int
    expires_at: datetime


def check(request: _Sized, *, user: User, is_allowed: bool, now: datetime) -> None:
    """Raise NotDecidable unless this person may decide this locked request now."""
    if request.state != SecondPerson.State.REQUESTED:
        raise NotDecidable(f"It was {request.state.replace('_', ' ')} before.")
    if request.expires_at <= now:
        raise NotDecidable("It has expired; ask again.")
    if request.requested_by_id == user.pk:
        raise NotDecidable("Who asked can't decide; a second person has to.")
    if not is_allowed:
        raise NotDecidable("This is above what you may decide.")


def expire_due() -> int:
    """End requests of every kind that nobody decided in time; gives how many."""
    now = clock.now()
    return sum(
        kind.objects.waiting().filter(expires_at__lte=now).update(state=SecondPerson.State.EXPIRED)
        for kind in KINDS
    )


def may_approve(user: User, *, cents: int, limit_cents: int) -> bool:
    """Tell whether a person may approve refunds and grants of this size."""
    if user.has_perm(APPROVE):
        return True
    return user.has_perm(APPROVE_LIMITED) and cents <= limit_cents
