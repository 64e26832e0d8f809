"""Approvals: a request is never decided by whoever made it, never twice, never after it expired."""

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
    """This person can't decide this request, or it was decided or has expired."""


class _Decidable(Protocol):
    """A request that can be decided."""

    state: str
    requested_by_id: int
    expires_at: datetime


def check_can_decide(request: _Decidable, *, user: User, is_allowed: bool, now: datetime) -> None:
    """Raise DecisionRefused unless this person may decide this locked request now."""
    if request.state != ApprovalRequest.State.REQUESTED:
        label = ApprovalRequest.State(request.state).label
        raise DecisionRefused(f"This request is no longer pending: {label.lower()}.")
    if request.expires_at <= now:
        raise DecisionRefused("This request has expired. Create a new one.")
    if request.requested_by_id == user.pk:
        raise DecisionRefused("You can't decide your own request; a second person has to.")
    if not is_allowed:
        raise DecisionRefused("This is above your approval limit.")


def expire_overdue() -> int:
    """Expire requests of every kind that nobody decided in time; return how many."""
    now = clock.now()
    return sum(
        kind.objects.waiting()
        .filter(expires_at__lte=now)
        .update(state=ApprovalRequest.State.EXPIRED)
        for kind in REQUEST_MODELS
    )


def can_approve(user: User, *, cents: int, limit_cents: int) -> bool:
    """Return whether a person may approve refunds and goodwill of this amount."""
    if user.has_perm(APPROVE_PERMISSION):
        return True
    return user.has_perm(APPROVE_LIMITED_PERMISSION) and cents <= limit_cents
