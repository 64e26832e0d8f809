"""Events about refunds and disputes: reads the object as it is now, then applies it."""

from collections.abc import Mapping
from typing import Any

from billing import reversals, stripe_gateway
from billing.models import PaymentReversal
from billing.stripe_objects import Dispute, Refund

Object = Mapping[str, Any]


def read_refund(found: Object) -> list[Refund]:
    """Read the refund that an event is about."""
    refund = stripe_gateway.refund(str(found["id"]))
    _check_ours(refund)
    return [refund]


def read_refunds_of_charge(found: Object) -> list[Refund]:
    """Read every refund of the charge that an event is about."""
    refunds = stripe_gateway.refunds_of_charge(str(found["id"]))
    for refund in refunds[:1]:
        _check_ours(refund)
    return refunds


def apply_refunds(found: list[Refund]) -> str:
    """Bring the books to what Stripe says of these refunds."""
    return "; ".join(str(reversals.apply_refund(refund)) for refund in found) or "no refunds"


def read_dispute(found: Object) -> Dispute:
    """Read the dispute that an event is about, with the money it moved."""
    dispute = stripe_gateway.dispute(str(found["id"]))
    _check_ours(dispute)
    return dispute


def match_waiting() -> int:
    """Apply what came before its receipt was known; gives how many were matched."""
    waiting = reversals.waiting_for_a_receipt()
    for reversal in waiting:
        if reversal.kind == PaymentReversal.Kind.REFUND:
            reversals.apply_refund(stripe_gateway.refund(reversal.stripe_id))
        else:
            reversals.apply_dispute(stripe_gateway.dispute(reversal.stripe_id))
    return len(waiting)


def _check_ours(found: Refund | Dispute) -> None:
    """Raise Foreign for a charge of another installation on the same Stripe account."""
    if reversals.knows_payment(
        charge_id=found.charge_id, payment_intent_id=found.payment_intent_id
    ):
        return
    if not found.charge_id:
        raise stripe_gateway.Foreign("of no charge of ours")
    if not stripe_gateway.is_ours(stripe_gateway.charge(found.charge_id).metadata):
        raise stripe_gateway.Foreign("another installation's")
