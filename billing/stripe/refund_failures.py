"""Stripe's codes of failed and refused refunds, in words.

https://docs.stripe.com/api/refunds/object#refund_object-failure_reason and
https://docs.stripe.com/error-codes
"""

_WORDS = {
    # Why a refund failed or was canceled after Stripe had accepted it.
    "charge_for_pending_refund_disputed": "the buyer disputed the payment meanwhile",
    "declined": "the buyer's bank declined it",
    "expired_or_canceled_card": "the buyer's card has expired or was canceled",
    "insufficient_funds": "Stripe's balance did not cover it",
    "lost_or_stolen_card": "the buyer's card was reported lost or stolen",
    "merchant_request": "it was canceled on our side",
    "unknown": "Stripe gave no reason",
    "failed": "Stripe gave no reason",
    "canceled": "it was canceled",
    # Why Stripe did not accept it.
    "balance_insufficient": "Stripe's balance did not cover it",
    "charge_already_refunded": "the payment was refunded already",
    "charge_disputed": "the payment is disputed",
    "charge_not_refundable": "Stripe does not allow a refund of this payment",
    "amount_too_large": "less than that is left of the payment",
    "refund_disputed_payment": "the payment is disputed",
    "resource_missing": "Stripe does not know this payment",
    "idempotency_error": "it was sent with different parameters before",
}


def describe(code: str) -> str:
    """Return why a refund failed, in words; empty for no code."""
    return _WORDS.get(code, code.replace("_", " "))
