"""A sponsor's order: quote and payment in one step, by the functions that agents use too."""

from typing import Any

from billing.models import PaymentAttempt, Rail, Receipt
from billing.purchases import checkout, fake_rail, payment_methods, quotes
from billing.purchases.buyers import Buyer


def place(*, buyer: Buyer, idempotency_key: str, **terms: Any) -> PaymentAttempt | Receipt:
    """Quote a pack (`pack_id`) or a number of `credits`, and open its payment.

    The same key and terms order once. Returns the attempt to be paid, or the receipt where no
    money moves. Raises what quoting and opening a session raise.
    """
    method = payment_methods.require(_payment_method_id())
    quote = quotes.create(
        buyer=buyer, payment_method=method.method_id, idempotency_key=idempotency_key, **terms
    )
    if method.method_id == Rail.FAKE:
        return fake_rail.purchase(
            buyer=buyer, quote_id=quote.public_id, idempotency_key=idempotency_key
        )
    return checkout.open_session(
        buyer=buyer, quote_id=quote.public_id, idempotency_key=idempotency_key
    )


def _payment_method_id() -> str:
    method = payment_methods.preferred()
    return Rail.STRIPE_CHECKOUT if method is None else method.method_id
