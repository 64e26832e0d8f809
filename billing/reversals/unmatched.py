"""The state of a payment that granted nothing, derived from all its refunds and disputes."""

from django.db.models import Q

from billing.models import PaymentReversal, RefundRequest, UnmatchedPayment
from billing.reversals import facts, in_force
from imageskill.lib import clock

_State = UnmatchedPayment.State
_OPEN_STATES = {_State.OPEN, _State.REFUNDING, _State.PARTLY_REFUNDED, _State.DISPUTED}


def update_state(payment: UnmatchedPayment) -> None:
    """Derive the state of a payment whose row is locked, and store it."""
    known = reversal_facts(payment)
    state = _State(
        in_force.derive_unmatched(
            cents=payment.amount_cents,
            currency=payment.currency,
            facts=known,
            is_under_way=_is_under_way(payment),
        )
    )
    refunded = sum(fact.standing_cents for fact in known if fact.kind == "refund")
    if (payment.state, payment.refunded_cents) == (state, refunded):
        return
    payment.state, payment.refunded_cents = state, refunded
    payment.resolved_at = None if state in _OPEN_STATES else payment.resolved_at or clock.now()
    payment.save(update_fields=["state", "refunded_cents", "resolved_at"])


def reversal_facts(payment: UnmatchedPayment) -> list[in_force.Fact]:
    """Return the refunds and disputes that are stored of a payment."""
    rows = PaymentReversal.objects.filter(facts.is_of(payment.charge_id, payment.payment_intent_id))
    return [facts.as_fact(row) for row in rows]


def _is_under_way(payment: UnmatchedPayment) -> bool:
    """Return whether a refund was approved that Stripe has not answered yet."""
    under_way = Q(state=RefundRequest.State.APPROVED, finished_at__isnull=True)
    return RefundRequest.objects.filter(under_way, unmatched_payment=payment).exists()
