"""Answers about quotes, attempts and receipts, built from their rows."""

from typing import Literal, cast

from django.conf import settings
from django.urls import reverse

from billing.api import offer_representations
from billing.api.purchase_schemas import (
    AttemptOut,
    CheckoutUrls,
    CommandNextOut,
    CreditEventOut,
    PayNextOut,
    PollNextOut,
    ProviderEventOut,
    PurchaseOut,
    QuoteNextOut,
    QuoteOut,
    ReceiptOut,
    RecommendedBuyOut,
    RefundOut,
    RefundStatusName,
    SessionOut,
    StatusOut,
)
from billing.models import (
    AttemptStatus,
    PaymentAttempt,
    Quote,
    Rail,
    Receipt,
    StripeEvent,
)
from billing.purchases import command_effects, payment_methods, quotes
from billing.purchases.purchase_status import Purchase
from billing.purchases.refund_states import RefundState
from billing.quota import LimitsOut
from imageskill.lib import clock

POLL_AFTER_S = 10

_OPEN_ATTEMPTS = {AttemptStatus.CREATED, AttemptStatus.OPEN}


def quote_out(
    quote: Quote,
    *,
    state: Literal["created", "used", "expired"] = "created",
    next_actions: QuoteNextOut | None = None,
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
        pack=offer_representations.quoted_pack_out(quote),
        live_money=method.has_live_money,
        environment=method.environment,
        next_actions=next_actions or QuoteNextOut(recommended_buy=_recommended_buy(quote)),
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
    next_actions = _next_actions(purchase)
    return StatusOut(
        state=purchase.state,
        quote=quote_out(purchase.quote, state=_quote_state(purchase), next_actions=next_actions),
        payment_attempt=None if attempt is None else _attempt_out(attempt),
        receipt=None if receipt is None else _receipt_out(receipt, purchase),
        refunds=[_refund_out(refund) for refund in purchase.refunds],
        credit_event=None if receipt is None else _credit_event(receipt),
        provider_event=None if attempt is None else _provider_event(attempt),
        limits=limits,
        next=_status_next(purchase),
        next_actions=next_actions,
    )


def checkout_urls(attempt: PaymentAttempt) -> CheckoutUrls:
    """Return our short link, and Stripe's own with its fragment."""
    stripe_url = attempt.checkout_url or None
    return CheckoutUrls(
        checkout_handoff_url=f"{settings.PUBLIC_API_URL}{reverse('pay', args=[attempt.public_id])}",
        checkout_compact_url=stripe_url,
        checkout_url=stripe_url,
    )


def _next_actions(purchase: Purchase) -> QuoteNextOut:
    can_buy = purchase.state in {"created", "action_required"}
    return QuoteNextOut(recommended_buy=_recommended_buy(purchase.quote) if can_buy else None)


def _recommended_buy(quote: Quote) -> RecommendedBuyOut:
    command, key = _buy_command(quote), _buy_key(quote)
    method = payment_methods.find(quote.payment_method)
    status_command = payment_methods.status_command(quote.public_id)
    by_attempt = "image-skill credits status --payment-attempt-id PAYMENT_ATTEMPT_ID --json"
    return RecommendedBuyOut(
        purpose="complete_credit_top_up",
        recommendation_reason=payment_methods.path_of(method),
        quote_id=quote.public_id,
        method_id=method.method_id,
        provider="fake" if method.method_id == Rail.FAKE else "stripe",
        idempotency_key=key,
        purchase_idempotency_key=key,
        command=command,
        buy_command=command,
        buy_command_copy_runnable=True,
        status_command=status_command,
        status_command_copy_runnable=True,
        status_command_after_payment=by_attempt if method.needs_browser else status_command,
        status_command_after_payment_copy_runnable=not method.needs_browser,
        grants_credits=method.method_id == Rail.FAKE,
        requires_auth=True,
        live_money=method.has_live_money,
        requires_browser=method.needs_browser,
        agent_settleable=method.agent_settleable,
        human_handoff_required=method.needs_browser,
        command_effect=command_effects.of_buy(live_money=method.has_live_money),
    )


def _buy_command(quote: Quote) -> str:
    return payment_methods.buy_command(
        quote.payment_method, quote_id=quote.public_id, key=_buy_key(quote)
    )


def _buy_key(quote: Quote) -> str:
    return f"buy-{quote.public_id}"


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


def _refund_out(refund: RefundState) -> RefundOut:
    return RefundOut(
        payment_reversal_id=refund.reversal_id,
        status=cast("RefundStatusName", refund.status.value),
        failure=refund.failure or None,
        amount_cents=refund.amount_cents,
        currency=refund.currency,
        requested_at=clock.iso(refund.requested_at),
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
    status_command = f"image-skill credits status --payment-attempt-id {attempt.public_id} --json"
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
    has_granted_nothing = purchase.state == "refunded" and purchase.receipt is None
    if has_granted_nothing or purchase.state in {"failed", "expired", "canceled"}:
        return CommandNextOut(suggested_command=quotes.requote_command(purchase.quote))
    return CommandNextOut(suggested_command="image-skill usage quota --json")
