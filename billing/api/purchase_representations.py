"""Answers about payment methods, quotes, attempts and receipts, built from their rows."""

from typing import Literal

from django.conf import settings
from django.urls import reverse

from billing.api.purchase_schemas import (
    AttemptOut,
    CheckoutUrls,
    CommandNextOut,
    CreditEventOut,
    MethodLimitsOut,
    MethodOut,
    MethodRecoveryOut,
    PackOut,
    PayNextOut,
    PollNextOut,
    ProviderEventOut,
    PurchaseOut,
    QuotedPackOut,
    QuoteNextOut,
    QuoteOut,
    ReceiptOut,
    RecommendedBuyOut,
    RecommendedQuoteOut,
    SessionOut,
    StatusNextOut,
    StatusOut,
)
from billing.models import (
    AttemptStatus,
    CreditPack,
    PaymentAttempt,
    Quote,
    Rail,
    Receipt,
    StripeEvent,
)
from billing.purchases import idempotency_keys, packs, payment_methods, quotes
from billing.purchases.payment_methods import PaymentMethod
from billing.purchases.purchase_status import Purchase
from billing.quota import LimitsOut
from imageskill.lib import amounts, clock

POLL_AFTER_S = 10

_STATUS_COMMAND = "image-skill credits status"
_OPEN_ATTEMPTS = {AttemptStatus.CREATED, AttemptStatus.OPEN}


def method_out(method: PaymentMethod) -> MethodOut:
    """Return a payment method."""
    return MethodOut(
        method_id=method.method_id,
        status="available" if method.is_available else "unavailable",
        available=method.is_available,
        quoteable=method.is_available,
        purchasable=method.is_available,
        unavailable_reason=method.unavailable_reason,
        recovery=_method_recovery(method),
        live_money=method.has_live_money,
        environment=method.environment,
        buyer_modes=list(method.buyer_modes),
        requires_browser=method.needs_browser,
        agent_initiated=True,
        agent_settleable=method.agent_settleable,
        settlement_blocker=method.settlement_blocker,
        default_pack_id=packs.default_pack_id() if method.needs_browser else None,
        purchase_endpoint=method.purchase_endpoint,
        limits=MethodLimitsOut(
            min_amount_cents=method.min_amount_cents, max_amount_cents=method.max_amount_cents
        ),
    )


def recommended_quote(method: PaymentMethod) -> RecommendedQuoteOut:
    """Return how to begin with a payment method."""
    quote_command = payment_methods.quote_command(method)
    recovery = _method_recovery(method)
    return RecommendedQuoteOut(
        method_id=method.method_id,
        command=quote_command,
        quote_command=quote_command,
        buy_command=recovery.purchase_command,
        status_command=recovery.status_command,
        live_money=method.has_live_money,
        requires_browser=method.needs_browser,
    )


def pack_out(pack: CreditPack) -> PackOut:
    """Return a pack on offer."""
    return PackOut(
        pack_id=pack.pack_id,
        name=pack.name,
        display_name=pack.display_name,
        credits=pack.credits,
        amount_cents=pack.amount_cents,
        amount_usd=amounts.from_cents(pack.amount_cents),
        currency=pack.currency,
    )


def quote_out(
    quote: Quote, *, state: Literal["created", "used", "expired"] = "created"
) -> QuoteOut:
    """Return a quote."""
    method = payment_methods.find(quote.payment_method)
    return QuoteOut(
        quote_id=quote.public_id,
        state=state,
        credits=quote.credits,
        price_amount_cents=quote.price_cents,
        currency=quote.currency,
        expires_at=clock.iso(quote.expires_at),
        accepted_payment_method=quote.payment_method,
        idempotency_key=quote.idempotency_key,
        pack_id=quote.pack_id or None,
        pack=_quoted_pack(quote),
        live_money=method.has_live_money,
        environment=method.environment,
        next_actions=QuoteNextOut(recommended_buy=_recommended_buy(quote)),
    )


def purchase_out(receipt: Receipt) -> PurchaseOut:
    """Return a purchase on the fake rail."""
    return PurchaseOut(
        state="succeeded",
        quote_id=receipt.quote.public_id,
        receipt_id=receipt.public_id,
        receipt_number=receipt.number,
        credit_event_id=receipt.credit_event_id,
        credits_granted=receipt.credits,
        amount_cents=receipt.amount_cents,
        currency=receipt.currency,
        accepted_payment_method=receipt.payment_method,
        idempotency_key=receipt.idempotency_key,
        balance_after=receipt.balance_after,
        owed_settled_credits=receipt.owed_settled_credits,
        live_money=payment_methods.find(receipt.payment_method).has_live_money,
        environment=receipt.environment,
    )


def session_out(purchase: Purchase, attempt: PaymentAttempt) -> SessionOut:
    """Return a Checkout session."""
    quote, urls = purchase.quote, checkout_urls(attempt)
    return SessionOut(
        state=purchase.state,
        quote_id=quote.public_id,
        payment_attempt_id=attempt.public_id,
        provider="stripe",
        accepted_payment_method=quote.payment_method,
        checkout_session_id=attempt.checkout_session_id,
        checkout_handoff_url=urls.checkout_handoff_url,
        checkout_compact_url=urls.checkout_compact_url,
        checkout_url=urls.checkout_url,
        credits=quote.credits,
        amount_cents=quote.price_cents,
        currency=quote.currency,
        expires_at=clock.iso(attempt.session_expires_at),
        idempotency_key=attempt.idempotency_key,
        live_money=payment_methods.find(quote.payment_method).has_live_money,
        environment=attempt.environment,
        next=_pay_next(attempt),
    )


def status_out(purchase: Purchase, limits: LimitsOut) -> StatusOut:
    """Return a purchase with every object behind it, beside the caller's limits."""
    attempt, receipt = purchase.attempt, purchase.receipt
    can_buy = purchase.state in {"created", "action_required"}
    return StatusOut(
        state=purchase.state,
        quote=quote_out(purchase.quote, state=_quote_state(purchase)),
        payment_attempt=None if attempt is None else _attempt_out(attempt),
        receipt=None if receipt is None else _receipt_out(receipt, purchase),
        credit_event=None if receipt is None else _credit_event(receipt),
        provider_event=None if attempt is None else _provider_event(attempt),
        limits=limits,
        next=_status_next(purchase),
        next_actions=StatusNextOut(
            recommended_buy=_recommended_buy(purchase.quote) if can_buy else None
        ),
    )


def checkout_urls(attempt: PaymentAttempt) -> CheckoutUrls:
    """Return our short link, and Stripe's own with its fragment."""
    stripe_url = attempt.checkout_url or None
    return CheckoutUrls(
        checkout_handoff_url=f"{settings.PUBLIC_API_URL}{reverse('pay', args=[attempt.public_id])}",
        checkout_compact_url=stripe_url,
        checkout_url=stripe_url,
    )


def _recommended_buy(quote: Quote) -> RecommendedBuyOut:
    command = _buy_command(quote)
    return RecommendedBuyOut(
        quote_id=quote.public_id,
        idempotency_key=_buy_key(quote),
        command=command,
        buy_command=command,
        status_command=f"{_STATUS_COMMAND} --quote-id {quote.public_id} --json",
        grants_credits=quote.payment_method == Rail.FAKE,
    )


def _buy_command(quote: Quote) -> str:
    """Return the command that buys a quote."""
    verb = "fake-purchase" if quote.payment_method == Rail.FAKE else "buy --provider stripe"
    return (
        f"image-skill credits {verb} --quote-id {quote.public_id} "
        f"{idempotency_keys.FLAG} {_buy_key(quote)} --json"
    )


def _buy_key(quote: Quote) -> str:
    return f"buy-{quote.public_id}"


def _method_recovery(method: PaymentMethod) -> MethodRecoveryOut:
    usable = method if method.is_available else payment_methods.preferred()
    if usable is None:
        return MethodRecoveryOut(quote_command=None, purchase_command=None, status_command=None)
    verb = "buy --provider stripe" if usable.needs_browser else "fake-purchase"
    return MethodRecoveryOut(
        quote_command=payment_methods.quote_command(usable),
        purchase_command=(
            f"image-skill credits {verb} --quote-id QUOTE_ID {idempotency_keys.FLAG} KEY --json"
        ),
        status_command=f"{_STATUS_COMMAND} --quote-id QUOTE_ID --json",
    )


def _quoted_pack(quote: Quote) -> QuotedPackOut | None:
    """Return the pack as it was when the quote was made; None for an exact number of credits."""
    if not quote.pack_id:
        return None
    return QuotedPackOut(
        pack_id=quote.pack_id,
        display_name=quote.pack_name,
        credits=quote.credits,
        amount_cents=quote.price_cents,
        amount_usd=amounts.from_cents(quote.price_cents),
        currency=quote.currency,
    )


def _quote_state(purchase: Purchase) -> Literal["created", "used", "expired"]:
    if purchase.receipt is not None:
        return "used"
    return "expired" if purchase.quote.is_expired(now=clock.now()) else "created"


def _attempt_out(attempt: PaymentAttempt) -> AttemptOut:
    urls = checkout_urls(attempt)
    return AttemptOut(
        payment_attempt_id=attempt.public_id,
        provider="stripe",
        checkout_session_id=attempt.checkout_session_id,
        checkout_handoff_url=urls.checkout_handoff_url,
        checkout_compact_url=urls.checkout_compact_url,
        checkout_url=urls.checkout_url,
        attempt_status="requires_action" if attempt.status in _OPEN_ATTEMPTS else attempt.status,
        environment=attempt.environment,
        created_at=clock.iso(attempt.created_at),
        expires_at=clock.iso(attempt.session_expires_at),
    )


def _receipt_out(receipt: Receipt, purchase: Purchase) -> ReceiptOut:
    # The row itself never changes; its state is that of the purchase, reversals included.
    return ReceiptOut(
        receipt_id=receipt.public_id,
        receipt_number=receipt.number,
        credit_event_id=receipt.credit_event_id,
        state=purchase.state,
        credits=receipt.credits,
        credits_granted=receipt.credits,
        owed_settled_credits=receipt.owed_settled_credits,
        amount_cents=receipt.amount_cents,
        discount_cents=receipt.discount_cents,
        currency=receipt.currency,
        accepted_payment_method=receipt.payment_method,
        balance_after=receipt.balance_after,
        live_money=payment_methods.find(receipt.payment_method).has_live_money,
        environment=receipt.environment,
        issued_at=clock.iso(receipt.issued_at),
        refunded_credits=purchase.reversed.refunded,
        disputed_credits=purchase.reversed.disputed,
    )


def _credit_event(receipt: Receipt) -> CreditEventOut:
    return CreditEventOut(
        credit_event_id=receipt.credit_event_id,
        type="credits.payment_backed_granted",
        credits=receipt.credits,
        balance_after=receipt.balance_after,
        created_at=clock.iso(receipt.issued_at),
    )


def _provider_event(attempt: PaymentAttempt) -> ProviderEventOut | None:
    """Return Stripe's newest event about the session, by type only: its ids are for staff."""
    if attempt.checkout_session_id is None:
        return None
    events = StripeEvent.objects.filter(object_id=attempt.checkout_session_id)
    newest = events.order_by("-created_at", "-id").first()
    if newest is None:
        return None
    return ProviderEventOut(type=newest.type, received_at=clock.iso(newest.received_at))


def _pay_next(attempt: PaymentAttempt) -> PayNextOut:
    urls = checkout_urls(attempt)
    status_command = f"{_STATUS_COMMAND} --payment-attempt-id {attempt.public_id} --json"
    return PayNextOut(
        human_action="open_checkout_url",
        checkout_handoff_url=urls.checkout_handoff_url,
        checkout_compact_url=urls.checkout_compact_url,
        fallback_checkout_url=urls.checkout_url,
        status_command=status_command,
        retry_after_seconds=POLL_AFTER_S,
        after_payment=(
            "open checkout_handoff_url, or the full checkout_url with its # fragment if only a "
            f"Stripe URL is available, then poll {status_command}; credits are granted only after "
            "Stripe has confirmed the payment"
        ),
    )


def _status_next(purchase: Purchase) -> PayNextOut | PollNextOut | CommandNextOut:
    if purchase.attempt is not None and purchase.state == "action_required":
        return _pay_next(purchase.attempt)
    if purchase.is_open:
        return PollNextOut(retry_after_seconds=POLL_AFTER_S)
    if purchase.state == "created":
        return CommandNextOut(suggested_command=_buy_command(purchase.quote))
    if purchase.state in {"failed", "expired", "canceled"}:
        return CommandNextOut(suggested_command=quotes.requote_command(purchase.quote))
    return CommandNextOut(suggested_command="image-skill usage quota --json")
