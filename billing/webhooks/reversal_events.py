"""Events about refunds and disputes: read all of the payment as it is now (docs/adr/0008)."""

from collections.abc import Mapping
from typing import Any

import structlog

from billing.reversals import applying, facts
from billing.reversals.facts import PaymentFacts
from billing.stripe import gateway, ownership
from imageskill.lib import trace

log = structlog.get_logger(__name__)

StripeObject = Mapping[str, Any]


def read_of_refund(stripe_object: StripeObject) -> PaymentFacts:
    """Read the payment of the refund that an event is about."""
    refund = gateway.retrieve_refund(str(stripe_object["id"]))
    return _read(refund.charge_id, refund.payment_intent_id)


def read_of_charge(stripe_object: StripeObject) -> PaymentFacts:
    """Read the payment of the charge that an event is about."""
    charge = gateway.retrieve_charge(str(stripe_object["id"]))
    return _read(charge.id, charge.payment_intent_id)


def read_of_dispute(stripe_object: StripeObject) -> PaymentFacts:
    """Read the payment of the dispute that an event is about."""
    dispute = gateway.retrieve_dispute(str(stripe_object["id"]))
    return _read(dispute.charge_id, dispute.payment_intent_id)


def apply(payment_facts: PaymentFacts) -> str:
    """Apply the facts of a payment to the ledger; return the outcomes in a line."""
    reversals = applying.apply(payment_facts)
    return "; ".join(str(reversal) for reversal in reversals) or "no refunds"


def match_unmatched() -> int:
    """Apply what came before its receipt was known; return how many were matched."""
    waiting = applying.unmatched_with_receipt()
    by_payment = {(row.charge_id, row.payment_intent_id): row for row in waiting}
    for reversal in by_payment.values():
        with trace.own():
            try:
                applying.apply(facts.read_for(reversal))
            except gateway.PaymentProviderFailure:
                log.warning("reversal_not_matched", reversal=reversal.public_id)
    return len(waiting)


def _read(charge_id: str, payment_intent_id: str) -> PaymentFacts:
    """Read a payment; raises ForeignObject for one of another installation on the same account."""
    is_known = applying.is_known_payment(charge_id=charge_id, payment_intent_id=payment_intent_id)
    ownership.check_charge(charge_id, is_known=is_known)
    return facts.read(charge_id=charge_id, payment_intent_id=payment_intent_id)
