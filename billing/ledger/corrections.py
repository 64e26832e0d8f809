"""Credits moved by staff: goodwill, adjustments of a balance, debts written off.

A correction is a further transfer, never an edit. Small goodwill moves at once; everything else
waits for a second person.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.models import User
from billing import approvals, ledger
from billing.chart import Purpose, TransferKind
from billing.ledger import clawbacks, debts, lots, posting
from billing.models import CreditCorrection
from imageskill.lib import clock

_Kind, _State = CreditCorrection.Kind, CreditCorrection.State
_EXPIRES_AFTER = timedelta(days=7)

_ADJUSTMENTS = {
    (_Kind.ADJUST_PREVIEW, True): TransferKind.ADJUST_PREVIEW_UP,
    (_Kind.ADJUST_PREVIEW, False): TransferKind.ADJUST_PREVIEW_DOWN,
    (_Kind.ADJUST_PAID, True): TransferKind.ADJUST_PAID_UP,
    (_Kind.ADJUST_PAID, False): TransferKind.ADJUST_PAID_DOWN,
}


class CorrectionRefused(Exception):
    """The correction is not possible as the wallets stand; the message says why."""


def request(
    *, organization_id: int, kind: str, credits: int, reason: str, user: User
) -> CreditCorrection:
    """Ask for a correction; goodwill up to the threshold is applied at once.

    Raises CorrectionRefused where the wallets don't hold what it would take, ValueError for an
    amount that the kind can't have.
    """
    if not credits or (credits < 0 and kind not in {_Kind.ADJUST_PREVIEW, _Kind.ADJUST_PAID}):
        raise ValueError("a correction moves more than nothing; only adjustments go down")
    alone = kind == _Kind.GOODWILL and credits <= settings.GOODWILL_SECOND_PERSON_CREDITS
    with transaction.atomic():
        asked = CreditCorrection.objects.create(
            organization_id=organization_id,
            kind=kind,
            credits=credits,
            reason=reason,
            requested_by=user,
            needs_second_person=not alone,
            expires_at=clock.now() + _EXPIRES_AFTER,
        )
        _record(asked, "correction.request", user, reason)
        if alone:
            _apply(asked, decided_by=None)
        else:
            _check_possible(asked)
    return asked


def approve(*, request_id: int, user: User, note: str = "") -> CreditCorrection:
    """Approve and apply somebody else's request; raises NotDecidable or CorrectionRefused."""
    with transaction.atomic():
        asked = _lock_decidable(request_id, user)
        asked.decision_note = note
        _record(asked, "correction.approve", user, note)
        _apply(asked, decided_by=user)
    return asked


def reject(*, request_id: int, user: User, note: str) -> CreditCorrection:
    """Turn somebody else's request down; raises NotDecidable."""
    with transaction.atomic():
        asked = _lock_decidable(request_id, user)
        asked.state, asked.decided_by = _State.TURNED_DOWN, user
        asked.decided_at, asked.decision_note = clock.now(), note
        asked.save()
        _record(asked, "correction.turn_down", user, note)
    return asked


def _lock_decidable(request_id: int, user: User) -> CreditCorrection:
    asked: CreditCorrection = CreditCorrection.objects.select_for_update().get(pk=request_id)
    if asked.kind == _Kind.GOODWILL:
        is_allowed = approvals.can_approve(
            user, cents=asked.credits, limit_cents=settings.REFUND_LIMITED_APPROVAL_CENTS
        )
    else:
        is_allowed = user.has_perm(approvals.APPROVE_LEDGER_PERMISSION)
    approvals.check_can_decide(asked, user=user, is_allowed=is_allowed, now=clock.now())
    return asked


def _check_possible(asked: CreditCorrection) -> None:
    balances = ledger.balances(asked.organization_id)
    there = {
        _Kind.WRITE_OFF: balances.owed - asked.credits,
        _Kind.ADJUST_PREVIEW: balances.preview + asked.credits,
        _Kind.ADJUST_PAID: balances.paid + asked.credits,
    }
    if there.get(_Kind(asked.kind), 0) < 0:
        raise CorrectionRefused("There are not that many credits to take or write off.")


def _apply(asked: CreditCorrection, *, decided_by: User | None) -> None:
    actor = f"user:{(decided_by or asked.requested_by).pk}"
    if asked.kind == _Kind.GOODWILL:
        asked.applied_credits = _goodwill(asked, actor)
    elif asked.kind == _Kind.WRITE_OFF:
        asked.applied_credits = _write_off(asked, actor)
    else:
        asked.applied_credits = _adjust(asked, actor)
    asked.state, asked.decided_by, asked.decided_at = _State.APPROVED, decided_by, clock.now()
    asked.save()


def _goodwill(asked: CreditCorrection, actor: str) -> int:
    ledger.grant_preview(
        organization_id=asked.organization_id,
        credits=asked.credits,
        key=f"correction:{asked.pk}:goodwill",
        actor=actor,
        reason=asked.reason[:400],
        reference=_reference(asked),
    )
    return asked.credits


def _write_off(asked: CreditCorrection, actor: str) -> int:
    written_off = clawbacks.write_off(
        organization_id=asked.organization_id,
        credits=asked.credits,
        key=_reference(asked),
        actor=actor,
        reason=asked.reason[:400],
    )
    if written_off < asked.credits:
        raise CorrectionRefused("Less is owed by now; ask again for what is left.")
    return written_off


def _adjust(asked: CreditCorrection, actor: str) -> int:
    is_up = asked.credits > 0
    amount, reference = abs(asked.credits), _reference(asked)
    wallets = posting.lock(asked.organization_id)
    move = posting.Move(
        key=f"correction:{asked.pk}:{asked.kind}",
        kind=_ADJUSTMENTS[_Kind(asked.kind), is_up],
        credits=amount,
        actor=actor,
        reason=asked.reason[:400],
        reference=reference,
    )
    purpose = Purpose.PAID if asked.kind == _Kind.ADJUST_PAID else Purpose.PREVIEW
    if not is_up and wallets[purpose] < amount:
        raise CorrectionRefused("There are not that many credits to take.")
    posting.post(wallets, [move])
    if purpose == Purpose.PAID and is_up:
        lots.create(organization_id=asked.organization_id, reference=reference, credits=amount)
        debts.settle(wallets, cause=reference, actor=actor)
    elif purpose == Purpose.PAID:
        lots.consume(organization_id=asked.organization_id, reference=reference, credits=amount)
    return asked.credits


def _reference(asked: CreditCorrection) -> str:
    return f"correction:{asked.pk}"


def _record(asked: CreditCorrection, action: str, user: User, reason: str) -> None:
    audit.record(
        user=user,
        action=action,
        subject=asked.organization.public_id,
        reason=reason,
        after={"correction": asked.pk, "kind": asked.kind, "credits": asked.credits},
    )
