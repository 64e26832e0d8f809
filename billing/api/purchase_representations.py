"""How quotes, attempts, receipts and ways to pay look in answers."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from billing.models import PaymentAttempt, Quote, Rail, Receipt, StripeEvent
from billing.purchases import idempotency_keys, packs, payment_methods, quotes
from billing.purchases.payment_methods import PaymentMethod
from billing.purchases.purchase_status import Purchase
from imageskill.lib import clock

POLL_AFTER_S = 10


def method_out(method: PaymentMethod) -> dict[str, Any]:
    """Return a way to pay."""
    return {
        "method_id": method.method_id,
        "status": "available" if method.is_available else "unavailable",
        "available": method.is_available,
        "quoteable": method.is_available,
        "purchasable": method.is_available,
        "unavailable_reason": method.unavailable_reason,
        "recovery": _method_recovery(method),
        "live_money": method.has_live_money,
        "environment": method.environment,
        "buyer_modes": list(method.buyer_modes),
        "requires_browser": method.needs_browser,
        "agent_initiated": True,
        "agent_settleable": method.agent_settleable,
        "settlement_blocker": method.settlement_blocker,
        "default_pack_id": packs.default_pack_id() if method.needs_browser else None,
        "purchase_endpoint": method.purchase_endpoint,
        "limits": {
            "min_amount_cents": method.min_amount_cents,
            "max_amount_cents": method.max_amount_cents,
        },
    }


def quote_out(quote: Quote) -> dict[str, Any]:
    """Return a quote."""
    method = payment_methods.find(quote.payment_method)
    return {
        "quote_id": quote.public_id,
        "state": "created",
        "credits": quote.credits,
        "price_amount_cents": quote.price_cents,
        "currency": quote.currency,
        "expires_at": clock.iso(quote.expires_at),
        "accepted_payment_method": quote.payment_method,
        "idempotency_key": quote.idempotency_key,
        "pack_id": quote.pack_id or None,
        "pack": _quoted_pack(quote),
        "live_money": method.has_live_money,
        "environment": method.environment,
        "next_actions": {"recommended_buy": recommended_buy(quote)},
    }


def recommended_quote(method: PaymentMethod) -> dict[str, Any]:
    """Return how to begin: a quote that costs nothing, and what follows it."""
    quote_command = payment_methods.quote_command(method)
    recovery = _method_recovery(method)
    return {
        "method_id": method.method_id,
        "command": quote_command,
        "quote_command": quote_command,
        "buy_command": recovery["purchase_command"],
        "status_command": recovery["status_command"],
        "live_money": method.has_live_money,
        "requires_browser": method.needs_browser,
    }


def recommended_buy(quote: Quote) -> dict[str, Any]:
    """Return how to buy a quote, under a key that stays the same however often this is asked."""
    command = buy_command(quote)
    return {
        "quote_id": quote.public_id,
        "idempotency_key": _buy_key(quote),
        "command": command,
        "buy_command": command,
        "status_command": f"image-skill credits status --quote-id {quote.public_id} --json",
        "grants_credits": quote.payment_method == Rail.FAKE,
    }


def receipt_out(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt: without Stripe's ids, which only staff may see."""
    return {
        "receipt_id": receipt.public_id,
        "receipt_number": receipt.number,
        "credit_event_id": receipt.credit_event_id,
        "state": "succeeded",
        "credits": receipt.credits,
        "credits_granted": receipt.credits,
        "owed_settled_credits": receipt.owed_settled_credits,
        "amount_cents": receipt.amount_cents,
        "discount_cents": receipt.discount_cents,
        "currency": receipt.currency,
        "accepted_payment_method": receipt.payment_method,
        "balance_after": receipt.balance_after,
        "live_money": payment_methods.find(receipt.payment_method).has_live_money,
        "environment": receipt.environment,
        "issued_at": clock.iso(receipt.issued_at),
    }


def purchase_out(receipt: Receipt) -> dict[str, Any]:
    """Return what a purchase on the fake rail answers."""
    return receipt_out(receipt) | {
        "quote_id": receipt.quote.public_id,
        "idempotency_key": receipt.idempotency_key,
    }


def session_out(attempt: PaymentAttempt, *, state: str) -> dict[str, Any]:
    """Return what opening a Checkout session answers."""
    quote = attempt.quote
    method = payment_methods.find(quote.payment_method)
    return {
        "state": state,
        "quote_id": quote.public_id,
        "payment_attempt_id": attempt.public_id,
        "provider": "stripe",
        "accepted_payment_method": quote.payment_method,
        "checkout_session_id": attempt.checkout_session_id,
        **checkout_urls(attempt),
        "credits": quote.credits,
        "amount_cents": quote.price_cents,
        "currency": quote.currency,
        "expires_at": clock.iso(attempt.session_expires_at),
        "idempotency_key": attempt.idempotency_key,
        "live_money": method.has_live_money,
        "environment": attempt.environment,
        "next": _payment_next(attempt),
    }


def status_out(purchase: Purchase) -> dict[str, Any]:
    """Return how a purchase stands; `limits` is the caller's to add."""
    attempt, receipt = purchase.attempt, purchase.receipt
    return {
        "state": purchase.state,
        "quote": quote_out(purchase.quote) | {"state": _quote_state(purchase)},
        "payment_attempt": None if attempt is None else attempt_out(attempt),
        "receipt": None if receipt is None else _receipt_with_reversals(receipt, purchase),
        "credit_event": None if receipt is None else _credit_event(receipt),
        "provider_event": None if attempt is None else _provider_event(attempt),
        "next": _status_next(purchase),
        "next_actions": (
            {"recommended_buy": recommended_buy(purchase.quote)}
            if purchase.state in {"created", "action_required"}
            else {}
        ),
    }


def attempt_out(attempt: PaymentAttempt) -> dict[str, Any]:
    """Return a payment attempt."""
    shown = {"created": "requires_action", "open": "requires_action"}
    return {
        "payment_attempt_id": attempt.public_id,
        "provider": "stripe",
        "checkout_session_id": attempt.checkout_session_id,
        **checkout_urls(attempt),
        "attempt_status": shown.get(attempt.status, attempt.status),
        "environment": attempt.environment,
        "created_at": clock.iso(attempt.created_at),
        "expires_at": clock.iso(attempt.session_expires_at),
    }


def checkout_urls(attempt: PaymentAttempt) -> dict[str, str | None]:
    """Return the short link of ours and Stripe's own, its fragment and all."""
    link = f"{settings.PUBLIC_API_URL}{reverse('pay', args=[attempt.public_id])}"
    own = attempt.checkout_url or None
    return {"checkout_handoff_url": link, "checkout_compact_url": own, "checkout_url": own}


def buy_command(quote: Quote) -> str:
    """Write the command that buys a quote."""
    verb = "fake-purchase" if quote.payment_method == Rail.FAKE else "buy --provider stripe"
    return (
        f"image-skill credits {verb} --quote-id {quote.public_id} "
        f"{idempotency_keys.FLAG} {_buy_key(quote)} --json"
    )


def _buy_key(quote: Quote) -> str:
    return f"buy-{quote.public_id}"


def _method_recovery(method: PaymentMethod) -> dict[str, str | None]:
    usable = method if method.is_available else payment_methods.preferred()
    if usable is None:
        return {"quote_command": None, "purchase_command": None, "status_command": None}
    verb = "buy --provider stripe" if usable.needs_browser else "fake-purchase"
    return {
        "quote_command": payment_methods.quote_command(usable),
        "purchase_command": (
            f"image-skill credits {verb} --quote-id QUOTE_ID {idempotency_keys.FLAG} KEY --json"
        ),
        "status_command": "image-skill credits status --quote-id QUOTE_ID --json",
    }


def _quoted_pack(quote: Quote) -> dict[str, Any] | None:
    """Show the pack as it was when the quote was made."""
    if not quote.pack_id:
        return None
    return {
        "pack_id": quote.pack_id,
        "display_name": quote.pack_name,
        "credits": quote.credits,
        "amount_cents": quote.price_cents,
        "amount_usd": quote.price_cents / 100,
        "currency": quote.currency,
    }


def _quote_state(purchase: Purchase) -> str:
    if purchase.receipt is not None:
        return "used"
    return "expired" if purchase.quote.is_expired(now=clock.now()) else "created"


def _receipt_with_reversals(receipt: Receipt, purchase: Purchase) -> dict[str, Any]:
    """Show a receipt with what was taken back of it since; the receipt itself never changes."""
    return receipt_out(receipt) | {
        "state": purchase.state,
        "refunded_credits": purchase.reversed.refunded,
        "disputed_credits": purchase.reversed.disputed,
    }


def _credit_event(receipt: Receipt) -> dict[str, Any]:
    return {
        "credit_event_id": receipt.credit_event_id,
        "type": "credits.payment_backed_granted",
        "credits": receipt.credits,
        "balance_after": receipt.balance_after,
        "created_at": clock.iso(receipt.issued_at),
    }


def _provider_event(attempt: PaymentAttempt) -> dict[str, Any] | None:
    """Return which event of the provider's came last, by type only: its ids are for staff."""
    if attempt.checkout_session_id is None:
        return None
    about = StripeEvent.objects.filter(object_id=attempt.checkout_session_id)
    event = about.order_by("-created_at", "-id").first()
    if event is None:
        return None
    return {"type": event.type, "received_at": clock.iso(event.received_at)}


def _payment_next(attempt: PaymentAttempt) -> dict[str, Any]:
    urls = checkout_urls(attempt)
    status = f"image-skill credits status --payment-attempt-id {attempt.public_id} --json"
    return {
        "human_action": "open_checkout_url",
        "checkout_handoff_url": urls["checkout_handoff_url"],
        "checkout_compact_url": urls["checkout_compact_url"],
        "fallback_checkout_url": urls["checkout_url"],
        "status_command": status,
        "retry_after_seconds": POLL_AFTER_S,
        "after_payment": (
            "open checkout_handoff_url, or the full checkout_url with its # fragment if only a "
            f"Stripe URL is available, then poll {status}; credits are granted only after Stripe "
            "has confirmed the payment"
        ),
    }


def _status_next(purchase: Purchase) -> dict[str, Any]:
    if purchase.attempt is not None and purchase.state == "action_required":
        return _payment_next(purchase.attempt)
    if purchase.is_open:
        return {"retry_after_seconds": POLL_AFTER_S}
    if purchase.state == "created":
        return {"suggested_command": buy_command(purchase.quote)}
    if purchase.state in {"failed", "expired", "canceled"}:
        return {"suggested_command": quotes.requote_command(purchase.quote)}
    return {"suggested_command": "image-skill usage quota --json"}
