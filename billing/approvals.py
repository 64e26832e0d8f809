"""Deciding what somebody else asked for: never who asked, never twice, never too late."""

from datetime import datetime
from typing import Protocol

from accounts.models import User
from billing.models import CreditCorrection, PackChange, RefundRequest
from billing.models.approvals import ApprovalRequest
from imageskill.lib import clock

REQUEST_MODELS = (RefundRequest, CreditCorrection, PackChange)

APPROVE_PERMISSION = "accounts.refund_approve"
APPROVE_LIMITED_PERMISSION = "accounts.refund_approve_limited"
APPROVE_LEDGER_PERMISSION = "accounts.ledger_approve"


class DecisionRefused(Exception):
    """This person may not decide this request, or it has been decided or has expired."""


class _Decidable(Protocol):
    """Something that approvals up to a limit measure."""

    state: str
    requested_by_id: int
    expires_at: datetime


def check_can_decide(request: _Decidable, *, user: User, is_allowed: bool, now: datetime) -> None:
    """Raise NotDecidable unless this person may decide this locked request now."""
    if request.state != ApprovalRequest.State.REQUESTED:
        raise DecisionRefused(f"It was {request.state.replace('_', ' ')} before.")
    if request.expires_at <= now:
        raise DecisionRefused("It has expired; ask again.")
    if request.requested_by_id == user.pk:
        raise DecisionRefused("Who asked can't decide; a second person has to.")
    if not is_allowed:
        raise DecisionRefused("This is above what you may decide.")


def expire_overdue() -> int:
    """End requests of every kind that nobody decided in time; gives how many."""
    now = clock.now()
    return sum(
        kind.objects.waiting()
        .filter(expires_at__lte=now)
        .update(state=ApprovalRequest.State.EXPIRED)
        for kind in REQUEST_MODELS
    )


def can_approve(user: User, *, cents: int, limit_cents: int) -> bool:
    """Return whether a person may approve refunds and grants of this size."""
    if user.has_perm(APPROVE_PERMISSION):
        return True
    return user.has_perm(APPROVE_LIMITED_PERMISSION) and cents <= limit_cents
