"""Events about refunds and disputes: read the object as it is now, apply it (docs/adr/0008)."""

from collections.abc import Mapping
from typing import Any

from billing.models import PaymentReversal
from billing.reversals import applying
from billing.stripe import gateway, ownership
from billing.stripe.objects import Dispute, Refund
from imageskill.lib import trace

StripeObject = Mapping[str, Any]


def read_refund(stripe_object: StripeObject) -> list[Refund]:
    """Read the refund that an event is about."""
    refund = gateway.retrieve_refund(str(stripe_object["id"]))
    _check_ours(refund)
    return [refund]


def read_refunds_of_charge(stripe_object: StripeObject) -> list[Refund]:
    """Read every refund of the charge that an event is about."""
    refunds = gateway.list_refunds(str(stripe_object["id"]))
    for refund in refunds[:1]:  # all are of one charge
        _check_ours(refund)
    return refunds


def apply_refunds(refunds: list[Refund]) -> str:
    """Apply these refunds to the ledger; return the outcomes in a line."""
    return "; ".join(str(applying.apply_refund(refund)) for refund in refunds) or "no refunds"


def read_dispute(stripe_object: StripeObject) -> Dispute:
    """Read the dispute that an event is about, with the money it moved."""
    dispute = gateway.retrieve_dispute(str(stripe_object["id"]))
    _check_ours(dispute)
    return dispute


def match_unmatched() -> int:
    """Apply what came before its receipt was known; return how many were matched."""
    waiting = applying.unmatched_with_receipt()
    for reversal in waiting:
        with trace.own():
            _apply_present_state(reversal)
    return len(waiting)


def _apply_present_state(reversal: PaymentReversal) -> None:
    if reversal.kind == PaymentReversal.Kind.REFUND:
        applying.apply_refund(gateway.retrieve_refund(reversal.stripe_id))
    else:
        applying.apply_dispute(gateway.retrieve_dispute(reversal.stripe_id))


def _check_ours(refund_or_dispute: Refund | Dispute) -> None:
    """Raise ForeignObject for a charge of another installation on the same Stripe account."""
    is_known = applying.is_known_payment(
        charge_id=refund_or_dispute.charge_id, payment_intent_id=refund_or_dispute.payment_intent_id
    )
    ownership.check_charge(refund_or_dispute.charge_id, is_known=is_known)
