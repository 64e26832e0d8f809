"""Applies refunds and disputes to the ledger, as they are at Stripe now (ADR 9).

Both `apply` functions converge: called with the current object, in any order, any number of times,
by any number of workers, they move credits once for each phase. They join the transaction that
marks an event as processed, or open their own. What can't be reconciled is flagged, and stays in
finance's queue until somebody resolves it.
"""

from django.db import transaction

from accounts import audit
from accounts.models import User
from billing.ledger import clawbacks, posting
from billing.models import Clawback, PaymentReversal, Receipt, ReversalPhase, UnmatchedPayment
from billing.reversals import notifications
from billing.stripe.objects import Dispute, Refund
from imageskill.lib import clock

ACTOR = "stripe"
_Kind, _State, _Problem = PaymentReversal.Kind, PaymentReversal.State, PaymentReversal.Problem
_Phase = ReversalPhase.Phase


class NotFlagged(Exception):
    """The reversal has no problem, or somebody has resolved it."""


_CLAWBACK_CAUSES = {_Kind.REFUND: Clawback.Cause.REFUND, _Kind.DISPUTE: Clawback.Cause.DISPUTE}


def apply_refund(refund: Refund) -> PaymentReversal:
    """Debit a refund that succeeded, once; undo one that failed."""
    with transaction.atomic():
        reversal = _get_or_create_locked(_Kind.REFUND, refund)
        if refund.status == "succeeded":
            _debit(reversal, key=f"refund:{refund.id}")
        # Stripe may report a failure weeks after a success: the bank sent the money back.
        elif refund.status in {"failed", "canceled"}:
            _undo(reversal)
        reversal.save()
    return reversal


def apply_dispute(dispute: Dispute) -> PaymentReversal:
    """Debit a dispute when its funds are withdrawn; reinstate or lose them when it is decided.

    An inquiry moves nothing.
    """
    # The money that the bank moved counts, not the status: that says "won" before funds return,
    # and an inquiry that is closed may still be withdrawn.
    is_reinstated = any(movement.amount_cents > 0 for movement in dispute.movements)
    is_withdrawn = any(movement.amount_cents < 0 for movement in dispute.movements)
    with transaction.atomic():
        reversal = _get_or_create_locked(_Kind.DISPUTE, dispute)
        reversal.evidence_due_by = dispute.evidence_due_by
        if is_withdrawn:
            _debit(reversal, key=f"dispute:{dispute.id}:withdrawn")
        if is_reinstated:
            _undo(reversal)
        elif dispute.status == "lost":
            _mark_lost(reversal)
        # Without a withdrawal there are no funds to wait for: the status alone ends it.
        elif dispute.status in {"won", "warning_closed", "prevented"} and not is_withdrawn:
            _undo(reversal)
        reversal.save()
    return reversal


def resolve(*, reversal_id: int, user: User, reason: str) -> PaymentReversal:
    """Remove a flagged reversal from finance's queue, once; nothing moves. Raises NotFlagged.

    Another problem puts it back into the queue.
    """
    with transaction.atomic():
        reversal = PaymentReversal.objects.select_for_update(no_key=True).get(pk=reversal_id)
        if not reversal.is_flagged:
            raise NotFlagged(
                "There is nothing to resolve: it was resolved, or its problem is gone."
            )
        reversal.resolved_at, reversal.resolution = clock.now(), reason
        reversal.save(update_fields=["resolved_at", "resolution", "updated_at"])
        audit.record(
            user=user,
            action="reversal.resolve",
            subject=reversal.public_id,
            reason=reason,
            before={"problem": reversal.problem, "state": reversal.state},
        )
    return reversal


def unmatched_with_receipt(*, limit: int = 200) -> list[PaymentReversal]:
    """Return the reversals that arrived before their receipt and have one now."""
    waiting = PaymentReversal.objects.unmatched().order_by("id")[:limit]
    return [reversal for reversal in waiting if find_receipt(reversal) is not None]


def find_receipt(reversal: PaymentReversal) -> Receipt | None:
    """Return the receipt of a reversal by its charge or payment, or None."""
    receipt: Receipt | None = None
    if reversal.charge_id:
        receipt = Receipt.objects.filter(charge_id=reversal.charge_id).first()
    if receipt is None and reversal.payment_intent_id:
        receipt = Receipt.objects.filter(payment_intent_id=reversal.payment_intent_id).first()
    return receipt


def is_known_payment(*, charge_id: str, payment_intent_id: str) -> bool:
    """Return whether a receipt or an unmatched payment has this charge or payment."""
    return any(
        model.objects.filter(**{field: value}).exists()
        for model in (Receipt, UnmatchedPayment)
        for field, value in (("charge_id", charge_id), ("payment_intent_id", payment_intent_id))
        if value
    )


def _get_or_create_locked(
    kind: PaymentReversal.Kind, stripe_object: Refund | Dispute
) -> PaymentReversal:
    """Return the reversal's row, locked; created when it is seen for the first time."""
    reversal, is_new = PaymentReversal.objects.get_or_create(
        stripe_id=stripe_object.id,
        defaults={
            "kind": kind,
            "charge_id": stripe_object.charge_id,
            "payment_intent_id": stripe_object.payment_intent_id,
            "amount_cents": stripe_object.amount_cents,
            "currency": stripe_object.currency,
            "reason": stripe_object.reason[:64],
            "stripe_status": stripe_object.status,
        },
    )
    # Read again under the lock: whoever held it may have changed the state.
    reversal = PaymentReversal.objects.select_for_update(no_key=True).get(pk=reversal.pk)
    reversal.stripe_status = stripe_object.status
    if is_new:
        _record_phase(reversal, _Phase.SEEN, status=stripe_object.status)
    if reversal.state == _State.SEEN:
        _match(reversal)
    return reversal


def _match(reversal: PaymentReversal) -> None:
    """Link a reversal to its receipt, or flag it for finance."""
    if reversal.receipt is None:
        receipt = find_receipt(reversal)
        if receipt is not None:
            reversal.receipt, reversal.organization_id = receipt, receipt.organization_id
    if reversal.receipt is not None:
        _flag(reversal, "")
    elif _mark_unmatched_refunded(reversal):
        reversal.state = _State.SET_ASIDE
    else:
        _flag(reversal, _Problem.NO_RECEIPT)


def _mark_unmatched_refunded(reversal: PaymentReversal) -> bool:
    """Mark an unmatched payment as refunded; False if the reversal is of none."""
    payments = UnmatchedPayment.objects.exclude(payment_intent_id="").filter(
        payment_intent_id=reversal.payment_intent_id
    )
    if reversal.stripe_status == "succeeded":
        payments.filter(amount_cents__lte=reversal.amount_cents).update(
            state=UnmatchedPayment.State.REFUNDED, resolved_at=clock.now()
        )
    return payments.exists()


def _debit(reversal: PaymentReversal, *, key: str) -> None:
    receipt = reversal.receipt
    if reversal.state != _State.SEEN or receipt is None:
        return
    if reversal.currency != receipt.currency:
        _reject(reversal, _Problem.OTHER_CURRENCY)
        return
    # Every reversal of a receipt is debited under this lock, so together they can't exceed it.
    posting.lock(receipt.organization_id)
    left = receipt.credits - clawbacks.credits_in_force(receipt.public_id)
    credits = min(reversal.amount_cents, left)
    reversal.excess_credits = reversal.amount_cents - credits
    if not credits:
        _reject(reversal, _Problem.REVERSED_ALREADY)
        return
    amounts = clawbacks.debit(
        organization_id=receipt.organization_id,
        reversal_id=reversal.public_id,
        receipt_id=receipt.public_id,
        cause=_CLAWBACK_CAUSES[_Kind(reversal.kind)],
        key=key,
        credits=credits,
        actor=ACTOR,
    )
    reversal.state, reversal.credits = _State.APPLIED, credits
    if reversal.excess_credits:
        _flag(reversal, _Problem.EXCEEDS_RECEIPT)
    _record_phase(reversal, _Phase.TAKEN, taken=amounts.taken, owed=amounts.owed)
    notifications.notify_debited(reversal, receipt, amounts)


def _reject(reversal: PaymentReversal, problem: PaymentReversal.Problem) -> None:
    assert reversal.receipt is not None
    reversal.state = _State.REJECTED
    _flag(reversal, problem)
    _record_phase(reversal, _Phase.REJECTED, problem=problem)
    notifications.notify_rejected(reversal, reversal.receipt)


def _undo(reversal: PaymentReversal) -> None:
    """Undo what was debited; close what never moved anything."""
    if reversal.state == _State.SEEN:
        reversal.state = _State.CLOSED
        _flag(reversal, "")
        _record_phase(reversal, _Phase.CLOSED, status=reversal.stripe_status)
    elif reversal.state == _State.LOST:
        # A loss is booked; a bank that pays after it is rare enough for finance to decide.
        _flag(reversal, _Problem.REINSTATED_AFTER_LOSS)
    elif reversal.state == _State.APPLIED:
        assert reversal.receipt is not None
        amounts = clawbacks.undo(
            reversal_id=reversal.public_id, actor=ACTOR, reason=f"{reversal.kind} undone"
        )
        reversal.state = _State.UNDONE
        _record_phase(reversal, _Phase.UNDONE, returned=amounts.returned, forgiven=amounts.forgiven)
        notifications.notify_reinstated(reversal, reversal.receipt, amounts)


def _mark_lost(reversal: PaymentReversal) -> None:
    if reversal.state == _State.APPLIED:
        lost = clawbacks.book_loss(reversal_id=reversal.public_id, actor=ACTOR)
        reversal.state = _State.LOST
        _record_phase(reversal, _Phase.LOST, lost=lost)
    elif reversal.state == _State.SEEN and reversal.receipt is not None:
        reversal.state = _State.CLOSED
        _record_phase(reversal, _Phase.CLOSED, status=reversal.stripe_status)


def _flag(reversal: PaymentReversal, problem: str) -> None:
    """Set the problem; a resolved one stays resolved until there is another."""
    if reversal.problem != problem:
        reversal.problem, reversal.resolved_at, reversal.resolution = problem, None, ""


def _record_phase(reversal: PaymentReversal, phase: ReversalPhase.Phase, **details: object) -> None:
    ReversalPhase.objects.create(reversal=reversal, phase=phase, details=details)
