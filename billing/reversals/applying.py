"""Applies the refunds and disputes of a payment to the ledger (ADR 9).

One function for all news: whatever was heard, all facts of the payment are stored, what should be
in force is worked out of them, and only how that differs from what is posted moves credits. It
ends in the same books for the same facts, in any order, any number of times, by any number of
workers. What can't be reconciled is flagged, and stays in finance's queue until it is resolved.
"""

from datetime import datetime

from django.db import connection, transaction

from accounts import audit
from accounts.models import User
from billing.models import PaymentReversal, Receipt, UnmatchedPayment
from billing.reversals import facts, receipt_effects, request_outcomes, unmatched
from billing.reversals.facts import PaymentFacts
from billing.stripe.objects import Dispute, Refund
from imageskill.lib import clock, database

_Problem, _State = PaymentReversal.Problem, PaymentReversal.State


class NotFlagged(Exception):
    """The reversal has no problem, or somebody has resolved it."""


def apply(payment_facts: PaymentFacts) -> list[PaymentReversal]:
    """Apply the facts of a payment to the ledger; return its refunds and disputes.

    Joins the transaction that marks an event as processed, or opens its own. Locks the payment,
    its reversals in the order of their ids, then wallets.
    """
    with transaction.atomic():
        receipt, unmatched_payments = _lock_payment(payment_facts)
        reversals = facts.store(payment_facts)
        if receipt is not None:
            receipt_effects.apply(receipt, reversals, metadata=_metadata(payment_facts))
        elif unmatched_payments:
            for reversal in reversals:
                reversal.state = _State.SET_ASIDE
                receipt_effects.flag(reversal, "")
        else:
            for reversal in reversals:
                receipt_effects.flag(reversal, _Problem.NO_RECEIPT)
        for reversal in reversals:
            reversal.save()
        if unmatched_payments:
            request_outcomes.link(reversals, metadata=_metadata(payment_facts))
            for payment in unmatched_payments:
                unmatched.update_state(payment)
    return reversals


def apply_refund(refund: Refund, *, read_at: datetime | None = None) -> PaymentReversal:
    """Apply a single refund, as it was read."""
    return _apply_one(refund, [refund], [], read_at)


def apply_dispute(dispute: Dispute, *, read_at: datetime | None = None) -> PaymentReversal:
    """Apply a single dispute, as it was read."""
    return _apply_one(dispute, [], [dispute], read_at)


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
    return [
        reversal
        for reversal in waiting
        if is_known_payment(
            charge_id=reversal.charge_id, payment_intent_id=reversal.payment_intent_id
        )
    ]


def is_known_payment(*, charge_id: str, payment_intent_id: str) -> bool:
    """Return whether a receipt or an unmatched payment has this charge or payment."""
    condition = facts.is_of(charge_id, payment_intent_id)
    return any(model.objects.filter(condition).exists() for model in (Receipt, UnmatchedPayment))


def _apply_one(
    item: Refund | Dispute,
    refunds: list[Refund],
    disputes: list[Dispute],
    read_at: datetime | None,
) -> PaymentReversal:
    reversals = apply(
        PaymentFacts(
            charge_id=item.charge_id,
            payment_intent_id=item.payment_intent_id,
            refunds=refunds,
            disputes=disputes,
            read_at=read_at or database.now(),
        )
    )
    return next(reversal for reversal in reversals if reversal.stripe_id == item.id)


def _lock_payment(payment_facts: PaymentFacts) -> tuple[Receipt | None, list[UnmatchedPayment]]:
    """Lock the payment: its receipt's row or that of the payment without one, else its id."""
    receipt, unmatched_payments = _find_payment(payment_facts)
    if receipt is None and not unmatched_payments:
        name = payment_facts.charge_id or payment_facts.payment_intent_id
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        receipt, unmatched_payments = _find_payment(payment_facts)
    return receipt, unmatched_payments


def _find_payment(payment_facts: PaymentFacts) -> tuple[Receipt | None, list[UnmatchedPayment]]:
    condition = facts.is_of(payment_facts.charge_id, payment_facts.payment_intent_id)
    receipts = Receipt.objects.select_for_update(no_key=True, of=("self",)).filter(condition)
    receipt: Receipt | None = receipts.order_by("pk").first()
    if receipt is not None:
        return receipt, []
    payments = UnmatchedPayment.objects.select_for_update(no_key=True).filter(condition)
    return None, list(payments.order_by("pk"))


def _metadata(payment_facts: PaymentFacts) -> dict[str, str]:
    """Return our id of the request by Stripe's id of each refund that we asked for."""
    requests = {item.id: item.metadata.get("refund_request", "") for item in payment_facts.refunds}
    return {stripe_id: request for stripe_id, request in requests.items() if request}
