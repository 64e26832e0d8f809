"""What the ledger holds for one of Stripe's balance transactions, as a signed amount.

An effect belongs to the day on which Stripe moved the money: a dispute that is won later leaves
both its days as they were, so today's state only says whether the effect has been posted at all.
"""

from decimal import ROUND_HALF_UP, Decimal

from billing.models import BalanceMovement, PaymentReversal

_Category, _State = BalanceMovement.Category, PaymentReversal.State

_NO_EFFECT = {_State.SEEN, _State.REJECTED}
_FAILED_STATUSES = {"failed", "canceled"}
_STATUSES_UNDER_WAY = {"pending", "requires_action"}
_SIGNS = {
    _Category.REFUND: -1,
    _Category.REFUND_FAILURE: 1,
    _Category.DISPUTE: -1,
    _Category.DISPUTE_REVERSAL: 1,
}


def is_posted(category: str, reversal: PaymentReversal) -> bool:
    """Return whether a refund or dispute has had its effect of this category here."""
    if category == _Category.REFUND and reversal.stripe_status in _STATUSES_UNDER_WAY:
        return True  # Stripe moves its balance when a refund is sent, before it arrives
    if reversal.state in _NO_EFFECT:
        return False
    if category == _Category.REFUND_FAILURE:
        return reversal.stripe_status in _FAILED_STATUSES
    return _stored_cents(category, reversal) > 0


def recorded_cents(movement: BalanceMovement) -> int:
    """Return the signed amount of the payment, refund or dispute as recorded here, posted or not.

    In the currency of the balance, at the transaction's own rate; 0 where nothing is known.
    """
    if movement.category == _Category.PAYMENT:
        payment = movement.receipt or movement.unmatched_payment
        return _converted(movement, payment.amount_cents) if payment is not None else 0
    if movement.reversal is None or movement.category not in _SIGNS:
        return 0
    sign = _SIGNS[_Category(movement.category)]
    return sign * _converted(movement, _stored_cents(movement.category, movement.reversal))


def posted_cents(movement: BalanceMovement) -> int:
    """Return the signed amount that the ledger has posted for the transaction; 0 if it has not."""
    reversal = movement.reversal
    if reversal is not None and not is_posted(movement.category, reversal):
        return 0
    return recorded_cents(movement)


def _stored_cents(category: str, reversal: PaymentReversal) -> int:
    """Return how much of a refund or dispute moved, by the facts that are stored of it."""
    if category == _Category.DISPUTE:
        return reversal.withdrawn_cents
    if category == _Category.DISPUTE_REVERSAL:
        return reversal.reinstated_cents
    return reversal.amount_cents


def _converted(movement: BalanceMovement, cents: int) -> int:
    if movement.exchange_rate is None:
        return cents
    exact = Decimal(cents) * movement.exchange_rate
    return int(exact.to_integral_value(ROUND_HALF_UP))
