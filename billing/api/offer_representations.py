"""Answers about payment methods and packs, built from what is on offer."""

from billing.api.offer_schemas import (
    MethodLimitsOut,
    MethodOut,
    MethodRecoveryOut,
    PackOut,
    QuotedPackOut,
    RecommendedQuoteOut,
)
from billing.models import CreditPack, Quote
from billing.purchases import command_effects, packs, payment_methods
from billing.purchases.payment_methods import PaymentMethod
from imageskill.lib import amounts


def method_out(method: PaymentMethod) -> MethodOut:
    """Return a payment method."""
    return MethodOut(
        method_id=method.method_id,
        status="available" if method.is_available else "unavailable",
        available=method.is_available,
        quoteable=method.is_available,
        purchasable=method.is_available,
        unavailable_reason=method.unavailable_reason,
        recovery=_recovery(method),
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
    recovery = _recovery(method)
    quote_command = recovery.quote_command or payment_methods.quote_command(method)
    return RecommendedQuoteOut(
        purpose="quote_credit_top_up",
        recommendation_reason=payment_methods.path_of(method),
        method_id=method.method_id,
        pack_id=payment_methods.quoted_pack_id(method),
        command=quote_command,
        quote_command=quote_command,
        quote_command_copy_runnable=True,
        buy_command=recovery.purchase_command,
        status_command=recovery.status_command,
        requires_auth=True,
        live_money=method.has_live_money,
        requires_browser=method.needs_browser,
        agent_settleable=method.agent_settleable,
        command_effect=command_effects.of_quote(live_money=method.has_live_money),
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
        price_usd=amounts.from_cents(pack.amount_cents),
        currency=pack.currency,
    )


def quoted_pack_out(quote: Quote) -> QuotedPackOut | None:
    """Return the pack as it was when the quote was made; None for an exact number of credits."""
    if not quote.pack_id:
        return None
    return QuotedPackOut(
        pack_id=quote.pack_id,
        display_name=quote.pack_name,
        credits=quote.credits,
        amount_cents=quote.price_cents,
        amount_usd=amounts.from_cents(quote.price_cents),
        price_usd=amounts.from_cents(quote.price_cents),
        currency=quote.currency,
    )


def _recovery(method: PaymentMethod) -> MethodRecoveryOut:
    usable = method if method.is_available else payment_methods.preferred()
    if usable is None:
        return MethodRecoveryOut(quote_command=None, purchase_command=None, status_command=None)
    return MethodRecoveryOut(
        quote_command=payment_methods.quote_command(usable),
        purchase_command=payment_methods.buy_command(usable.method_id),
        status_command=payment_methods.status_command(),
    )
