"""Credit adjustments by staff: goodwill, corrections of a balance, debts written off.

A correction is a further transfer, never an edit (ADR 9). Goodwill within the limits of who gives
it is applied at once; everything else needs a second person's approval.
"""

from datetime import timedelta

from django.db import transaction

from accounts import audit
from accounts.models import Organization, User
from billing import approvals, ledger
from billing.chart import Purpose, TransferKind
from billing.ledger import clawbacks, debts, lots, posting
from billing.limits import staff_limits
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
    """The wallets don't allow the correction; the message says why."""


def request(
    *, organization_id: int, kind: str, credits: int, reason: str, user: User
) -> CreditCorrection:
    """Request a correction; goodwill within the limits of who requests it is applied at once.

    Raises CorrectionRefused where the wallets don't hold what it would take, ValueError for an
    amount that the kind can't have.
    """
    if not credits or (credits < 0 and kind not in {_Kind.ADJUST_PREVIEW, _Kind.ADJUST_PAID}):
        raise ValueError("a correction moves more than nothing; only adjustments go down")
    with transaction.atomic():
        is_alone = kind == _Kind.GOODWILL and _is_within_limits(organization_id, credits, user)
        correction = CreditCorrection.objects.create(
            organization_id=organization_id,
            kind=kind,
            credits=credits,
            reason=reason,
            requested_by=user,
            needs_second_person=not is_alone,
            expires_at=clock.now() + _EXPIRES_AFTER,
        )
        _record(correction, "correction.request", user, reason)
        if is_alone:
            _apply(correction, decided_by=None)
        else:
            _check_possible(correction)
    return correction


def approve(*, request_id: int, user: User, note: str = "") -> CreditCorrection:
    """Approve and apply somebody else's request; raises DecisionRefused or CorrectionRefused."""
    with transaction.atomic():
        correction = _lock_decidable(request_id, user)
        correction.decision_note = note
        _record(correction, "correction.approve", user, note)
        _apply(correction, decided_by=user)
    return correction


def reject(*, request_id: int, user: User, note: str) -> CreditCorrection:
    """Reject somebody else's request; raises DecisionRefused."""
    with transaction.atomic():
        correction = _lock_decidable(request_id, user)
        correction.state, correction.decided_by = _State.TURNED_DOWN, user
        correction.decided_at, correction.decision_note = clock.now(), note
        correction.save()
        _record(correction, "correction.turn_down", user, note)
    return correction


def _lock_decidable(request_id: int, user: User) -> CreditCorrection:
    requested: CreditCorrection = CreditCorrection.objects.get(pk=request_id)
    staff_limits.lock(user, Organization(pk=requested.organization_id))
    correction: CreditCorrection = CreditCorrection.objects.select_for_update().get(pk=request_id)
    if correction.kind == _Kind.GOODWILL:
        is_allowed = approvals.can_approve(
            user,
            cents=staff_limits.goodwill_credits(correction.organization_id),
            limit_cents=staff_limits.limit_of(user, "REFUND_LIMITED_APPROVAL_CENTS"),
        )
    else:
        is_allowed = user.has_perm(approvals.APPROVE_LEDGER_PERMISSION)
    approvals.check_can_decide(correction, user=user, is_allowed=is_allowed, now=clock.now())
    return correction


def _is_within_limits(organization_id: int, credits: int, user: User) -> bool:
    """Return whether this person may grant the goodwill alone; locks what the answer rests on."""
    staff_limits.lock(user, Organization(pk=organization_id))
    return staff_limits.goodwill(user, organization_id).cover(credits)


def _check_possible(correction: CreditCorrection) -> None:
    balances = ledger.balances(correction.organization_id)
    remaining = {
        _Kind.WRITE_OFF: balances.owed - correction.credits,
        _Kind.ADJUST_PREVIEW: balances.preview + correction.credits,
        _Kind.ADJUST_PAID: balances.paid + correction.credits,
    }
    if remaining.get(_Kind(correction.kind), 0) < 0:
        raise CorrectionRefused("There are fewer credits than that to remove or write off.")


def _apply(correction: CreditCorrection, *, decided_by: User | None) -> None:
    actor = f"user:{(decided_by or correction.requested_by).pk}"
    if correction.kind == _Kind.GOODWILL:
        correction.applied_credits = _goodwill(correction, actor)
    elif correction.kind == _Kind.WRITE_OFF:
        correction.applied_credits = _write_off(correction, actor)
    else:
        correction.applied_credits = _adjust(correction, actor)
    correction.state, correction.decided_by, correction.decided_at = (
        _State.APPROVED,
        decided_by,
        clock.now(),
    )
    correction.save()


def _goodwill(correction: CreditCorrection, actor: str) -> int:
    ledger.grant_preview(
        organization_id=correction.organization_id,
        credits=correction.credits,
        key=f"correction:{correction.pk}:goodwill",
        actor=actor,
        reason=correction.reason[:400],
        reference=_reference(correction),
    )
    return correction.credits


def _write_off(correction: CreditCorrection, actor: str) -> int:
    written_off = clawbacks.write_off(
        organization_id=correction.organization_id,
        credits=correction.credits,
        key=_reference(correction),
        actor=actor,
        reason=correction.reason[:400],
    )
    if written_off < correction.credits:
        raise CorrectionRefused("Less is owed by now. Request the rest again.")
    return written_off


def _adjust(correction: CreditCorrection, actor: str) -> int:
    is_up = correction.credits > 0
    amount, reference = abs(correction.credits), _reference(correction)
    wallets = posting.lock(correction.organization_id)
    move = posting.Move(
        key=f"correction:{correction.pk}:{correction.kind}",
        kind=_ADJUSTMENTS[_Kind(correction.kind), is_up],
        credits=amount,
        actor=actor,
        reason=correction.reason[:400],
        reference=reference,
    )
    purpose = Purpose.PAID if correction.kind == _Kind.ADJUST_PAID else Purpose.PREVIEW
    if not is_up and wallets[purpose] < amount:
        raise CorrectionRefused("There are fewer credits than that to remove.")
    posting.post(wallets, [move])
    if purpose == Purpose.PAID and is_up:
        lots.create(organization_id=correction.organization_id, reference=reference, credits=amount)
        debts.settle(wallets, cause=reference, actor=actor)
    elif purpose == Purpose.PAID:
        lots.consume(
            organization_id=correction.organization_id, reference=reference, credits=amount
        )
    return correction.credits


def _reference(correction: CreditCorrection) -> str:
    return f"correction:{correction.pk}"


def _record(correction: CreditCorrection, action: str, user: User, reason: str) -> None:
    audit.record(
        user=user,
        action=action,
        subject=correction.organization.public_id,
        reason=reason,
        after={"correction": correction.pk, "kind": correction.kind, "credits": correction.credits},
    )
