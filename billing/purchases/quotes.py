"""Quotes: credits at a price that holds for a while; one quote for each key and terms."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from billing.models import CreditPack, Quote, Receipt
from billing.purchases import idempotency_keys, packs, payment_methods
from billing.purchases.buyers import Buyer
from imageskill.lib import clock, trace
from imageskill.lib.errors import ApiError, InvalidArguments, NotFound


class CreditQuoteConflict(ApiError):
    """The idempotency key was used for a different quote."""

    code = "CREDIT_QUOTE_CONFLICT"
    status = 409
    exit_code = 2
    message = "This idempotency key belongs to a different quote; use a fresh key."


class QuoteExpired(ApiError):
    """The quote's price no longer holds."""

    code = "QUOTE_EXPIRED"
    status = 409
    exit_code = 2
    message = "The quote has expired; create a new one."


class QuoteAlreadyUsed(ApiError):
    """The quote was paid already. A quote is granted once, whatever the key."""

    code = "QUOTE_ALREADY_USED"
    status = 409
    exit_code = 2
    message = "The quote was paid already; its credits were granted."


class PaymentMethodMismatch(ApiError):
    """The quote was created for another payment method."""

    code = "PAYMENT_METHOD_MISMATCH"
    status = 409
    exit_code = 2
    message = "The quote was created for another payment method."


@dataclass(frozen=True, slots=True)
class QuoteTerms:
    """A buyer's terms: a pack or an exact number of credits, and the payment method."""

    payment_method: str
    pack_id: str = ""
    credits: int | None = None

    def match(self, quote: Quote) -> bool:
        """Return whether a quote has exactly these terms."""
        return (
            self.payment_method == quote.payment_method
            and self.pack_id == quote.pack_id
            and self.credits in {None, quote.credits}
        )


def create(
    *,
    buyer: Buyer,
    payment_method: str,
    idempotency_key: str | None,
    pack_id: str | None = None,
    credits: int | None = None,
) -> Quote:
    """Create a quote, or return the one that this key and these terms created before.

    Grants nothing. Without a key each call is a new quote. Raises CreditQuoteConflict for a key
    of a different quote, InvalidArguments for contradictory terms, PaymentMethodUnavailable for a
    method that can't be used here.
    """
    if idempotency_key is None:
        idempotency_key = idempotency_keys.generate("quote")
    key = idempotency_keys.validate(idempotency_key)
    terms = _parse_terms(payment_method, pack_id, credits)
    method = payment_methods.find(payment_method)
    earlier = _find_existing(buyer, key)
    if earlier is not None:
        return _require_same_terms(earlier, terms)
    payment_methods.require(payment_method)
    pack = packs.find(terms.pack_id) if terms.pack_id else None
    quote = _build_quote(buyer, key, terms, pack)
    _check_amount(quote.price_cents, method)
    try:
        with transaction.atomic():
            quote.save(force_insert=True)
    except IntegrityError:
        earlier = _find_existing(buyer, key)
        if earlier is None:
            raise
        return _require_same_terms(earlier, terms)
    return quote


def lock_for_payment(*, quote_id: str, organization_id: int) -> Quote:
    """Lock a quote of this organization in the caller's transaction; raises NotFound."""
    quote = (
        Quote.objects.select_for_update(of=("self",))
        .select_related("agent", "organization")
        .filter(public_id=quote_id, organization_id=organization_id)
        .first()
    )
    if quote is None:
        raise NotFound("There is no such quote, or it is not yours.")
    return quote


def check_payable(quote: Quote, *, payment_method: str) -> None:
    """Refuse a locked quote that is used, expired, or for another payment method."""
    if quote.payment_method != payment_method:
        raise PaymentMethodMismatch(
            f"The quote was created for {quote.payment_method}, not for {payment_method}.",
            recovery={"suggested_command": _other_method_command(quote, payment_method)},
        )
    if Receipt.objects.filter(quote=quote).exists():
        raise already_used_error(quote)
    if quote.is_expired(now=clock.now()):
        raise QuoteExpired(recovery={"suggested_command": requote_command(quote)})


def already_used_error(quote: Quote) -> QuoteAlreadyUsed:
    """Return the error for a quote that was paid, with the command that shows its receipt."""
    return QuoteAlreadyUsed(
        recovery={"suggested_command": payment_methods.status_command(quote.public_id)}
    )


def requote_command(quote: Quote) -> str:
    """Return the command that creates the same quote again, with a fresh key."""
    return _quote_command(
        QuoteTerms(
            payment_method=quote.payment_method,
            pack_id=quote.pack_id,
            credits=None if quote.pack_id else quote.credits,
        )
    )


def _other_method_command(quote: Quote, payment_method: str) -> str:
    """Return a command that will be accepted: a quote for that method, or buying by the quote's.

    A method has a minimum of its own, and a pack may have been withdrawn since.
    """
    method = payment_methods.find(payment_method)
    if not method.is_available:
        return payment_methods.buy_command(
            quote.payment_method,
            quote_id=quote.public_id,
            key=idempotency_keys.generate("purchase"),
        )
    pack = packs.offered().filter(pack_id=quote.pack_id).first() if quote.pack_id else None
    is_pack = pack is not None and pack.amount_cents >= method.min_amount_cents
    return _quote_command(
        QuoteTerms(
            payment_method=payment_method,
            pack_id=quote.pack_id if is_pack else "",
            credits=None if is_pack else max(quote.credits, method.min_amount_cents),
        )
    )


def _parse_terms(payment_method: str, pack_id: str | None, credits: int | None) -> QuoteTerms:
    if (pack_id is None) == (credits is None):
        raise InvalidArguments(
            "Pass either credits or pack_id.",
            details=[{"field": "credits", "message": "exactly one of credits and pack_id"}],
            recovery={"required_flags": ["--pack", "--credits"]},
        )
    if credits is not None and not packs.MIN_CREDITS <= credits <= packs.MAX_CREDITS:
        message = f"must be a whole number from {packs.MIN_CREDITS} to {packs.MAX_CREDITS}"
        raise InvalidArguments(details=[{"field": "credits", "message": message}])
    return QuoteTerms(payment_method=payment_method, pack_id=pack_id or "", credits=credits)


def _find_existing(buyer: Buyer, key: str) -> Quote | None:
    mine = Quote.objects.filter(organization_id=buyer.organization_id, idempotency_key=key)
    return mine.filter(agent=buyer.agent, user=buyer.user).first()


def _require_same_terms(quote: Quote, terms: QuoteTerms) -> Quote:
    if not terms.match(quote):
        raise CreditQuoteConflict(recovery={"suggested_command": _quote_command(terms)})
    return quote


def _build_quote(buyer: Buyer, key: str, terms: QuoteTerms, pack: CreditPack | None) -> Quote:
    now = clock.now()
    credits = pack.credits if pack is not None else terms.credits or 0
    return Quote(
        organization_id=buyer.organization_id,
        agent=buyer.agent,
        user=buyer.user,
        idempotency_key=key,
        payment_method=terms.payment_method,
        pack_id=terms.pack_id,
        pack_name=pack.display_name if pack is not None else "",
        credits=credits,
        price_cents=pack.amount_cents if pack is not None else credits,
        trace_id=trace.current(),
        created_at=now,
        expires_at=now + timedelta(minutes=settings.QUOTE_MINUTES),
    )


def _check_amount(price_cents: int, method: payment_methods.PaymentMethod) -> None:
    if price_cents < method.min_amount_cents:
        message = f"{method.method_id} takes at least {method.min_amount_cents} credits"
        raise InvalidArguments(message + ".", details=[{"field": "credits", "message": message}])


def _quote_command(terms: QuoteTerms) -> str:
    what = f"--pack {terms.pack_id}" if terms.pack_id else f"--credits {terms.credits}"
    return (
        f"image-skill credits quote {what} --payment-method {terms.payment_method} "
        f"{idempotency_keys.FLAG} {idempotency_keys.generate('quote')} --json"
    )
