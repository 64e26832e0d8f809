"""Which of Stripe's events we act on, and how: read first, then apply in one transaction.

`read` may call Stripe for the object as it is now, since events come late, twice and out of
order; it runs outside any transaction. `apply` moves the books inside the transaction that
marks the event handled.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from billing.purchases import fulfillment
from billing.reversals import fraud_warnings
from billing.stripe import gateway, ownership
from billing.stripe.objects import CheckoutSession
from billing.webhooks import fraud_events, reversal_events

StripeObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventHandler:
    """The two steps of handling an event; `apply` returns the outcome in a line."""

    read: Callable[[StripeObject], Any]
    apply: Callable[[Any], object]


def _read_session(stripe_object: StripeObject) -> CheckoutSession:
    # Two installations may share a Stripe account, and then each gets the other's events.
    ownership.check_metadata(stripe_object.get("metadata") or {})
    return gateway.retrieve_session(str(stripe_object["id"]))


# Three refund events and five dispute events share a handler: what counts is the object as it is at
# Stripe when we read it, never which event came last (docs/adr/0008).
_CHECKOUT = EventHandler(read=_read_session, apply=fulfillment.apply)
_REFUND = EventHandler(read=reversal_events.read_of_refund, apply=reversal_events.apply)
_CHARGE_REFUNDED = EventHandler(read=reversal_events.read_of_charge, apply=reversal_events.apply)
_DISPUTE = EventHandler(read=reversal_events.read_of_dispute, apply=reversal_events.apply)
_FRAUD_WARNING = EventHandler(read=fraud_events.read_warning, apply=fraud_warnings.record)

HANDLERS: dict[str, EventHandler] = {
    "checkout.session.completed": _CHECKOUT,
    "checkout.session.async_payment_succeeded": _CHECKOUT,
    "checkout.session.async_payment_failed": _CHECKOUT,
    "checkout.session.expired": _CHECKOUT,
    "refund.created": _REFUND,
    "refund.updated": _REFUND,
    "refund.failed": _REFUND,
    "charge.refund.updated": _REFUND,
    "charge.refunded": _CHARGE_REFUNDED,
    "charge.dispute.created": _DISPUTE,
    "charge.dispute.updated": _DISPUTE,
    "charge.dispute.closed": _DISPUTE,
    "charge.dispute.funds_withdrawn": _DISPUTE,
    "charge.dispute.funds_reinstated": _DISPUTE,
    "radar.early_fraud_warning.created": _FRAUD_WARNING,
    "radar.early_fraud_warning.updated": _FRAUD_WARNING,
}
