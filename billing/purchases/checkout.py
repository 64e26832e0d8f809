"""Opens a Stripe Checkout session for a quote: never two that could both be paid.

The attempt is stored before Stripe is called, and its id is Stripe's idempotency key: a repeated
call, a lost answer and two callers at once all end at the same session (ADR 8).
"""

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from accounts import activity
from billing.models import AttemptStatus, PaymentAttempt, Quote, Rail
from billing.purchases import idempotency_keys, payment_methods, quotes
from billing.purchases.buyers import Buyer
from billing.stripe import gateway
from billing.stripe.gateway import PaymentProviderFailure
from billing.stripe.objects import CheckoutSession
from imageskill.lib import clock, trace
from imageskill.lib.errors import IdempotencyConflict, NotFound, RateLimited

FIRST_CHECK_AFTER = timedelta(minutes=1)
# Stripe's minimum is 30 minutes from the moment it receives the call; the call takes a while.
MIN_SESSION_DURATION = timedelta(minutes=31)


def open_session(*, buyer: Buyer, quote_id: str, idempotency_key: str | None) -> PaymentAttempt:
    """Open the quote's Checkout session, or return the one that is already open. Grants nothing.

    The same key returns the same attempt, whatever its status by now; another key returns the
    session that is still payable. Raises what `quotes.check_payable` raises,
    IdempotencyConflict, PaymentMethodUnavailable and PaymentProviderFailure.
    """
    key = idempotency_keys.validate(idempotency_key)
    payment_methods.require(Rail.STRIPE_CHECKOUT)
    attempt = _get_or_create_attempt(buyer, quote_id, key)
    if attempt.status == AttemptStatus.CREATED:
        attempt = _create_or_recover_session(attempt)
    return attempt


def find(payment_attempt_id: str) -> PaymentAttempt:
    """Find an attempt by its public id; NotFound if there is none."""
    attempt: PaymentAttempt | None = (
        PaymentAttempt.objects.select_related("quote").filter(public_id=payment_attempt_id).first()
    )
    if attempt is None:
        raise NotFound
    return attempt


def attach_session(attempt: PaymentAttempt, session: CheckoutSession) -> bool:
    """Store the session that Stripe created for a locked attempt; False if it has another one.

    Called by whichever comes first: the answer to our own call, or a webhook.
    """
    if attempt.checkout_session_id is None:
        attempt.checkout_session_id = session.id
        attempt.checkout_url = session.url
        attempt.session_expires_at = session.expires_at
        if attempt.status == AttemptStatus.CREATED:
            attempt.status = AttemptStatus.OPEN
        attempt.save()
        _record_activity(attempt)
    return attempt.checkout_session_id == session.id


def _get_or_create_attempt(buyer: Buyer, quote_id: str, key: str) -> PaymentAttempt:
    """Return the attempt of this key, the one that is payable, or a new one."""
    with transaction.atomic():
        quote = quotes.lock_for_payment(quote_id=quote_id, organization_id=buyer.organization_id)
        same_key = quote.attempts.filter(idempotency_key=key).first()
        if same_key is not None:
            return same_key
        payable = quote.attempts.payable().first()
        if payable is not None:
            return payable
        quotes.check_payable(quote, payment_method=Rail.STRIPE_CHECKOUT)
        if quote.attempts.filter(status=AttemptStatus.NEEDS_STAFF).exists():
            raise quotes.already_used_error(quote)
        _check_key(buyer, quote, key)
        _check_open_sessions(buyer)
        now = clock.now()
        return PaymentAttempt.objects.create(
            quote=quote,
            agent=buyer.agent,
            idempotency_key=key,
            environment=gateway.environment(),
            session_expires_at=now + timedelta(minutes=settings.CHECKOUT_SESSION_MINUTES),
            trace_id=trace.current(),
            next_check_at=now + FIRST_CHECK_AFTER,
        )


def _check_open_sessions(buyer: Buyer) -> None:
    """Refuse one more open session than an organization may have: each is watched until its end."""
    with connection.cursor() as cursor:  # until the transaction ends, so that the count holds
        organization = f"checkouts:{buyer.organization_id}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 9))", [organization])
    open_sessions = PaymentAttempt.objects.payable().filter(
        quote__organization_id=buyer.organization_id
    )
    if open_sessions.count() >= settings.OPEN_CHECKOUTS_PER_ORGANIZATION:
        raise RateLimited(
            f"{settings.OPEN_CHECKOUTS_PER_ORGANIZATION} checkout sessions are open. Pay one of"
            " them, or wait until one has expired.",
            recovery={"retry_after_seconds": settings.CHECKOUT_SESSION_MINUTES * 60},
        )


def _check_key(buyer: Buyer, quote: Quote, key: str) -> None:
    """Refuse a key of another quote; of two such calls at once, a constraint refuses one."""
    if buyer.agent is None:
        return
    if PaymentAttempt.objects.filter(agent=buyer.agent, idempotency_key=key).exists():
        fresh = idempotency_keys.generate("stripe-buy")
        raise IdempotencyConflict(
            recovery={
                "suggested_command": payment_methods.buy_command(
                    Rail.STRIPE_CHECKOUT, quote_id=quote.public_id, key=fresh
                )
            }
        )


def _create_or_recover_session(attempt: PaymentAttempt) -> PaymentAttempt:
    """Create the attempt's session at Stripe; after a failure the attempt can be retried."""
    if attempt.session_expires_at < clock.now() + MIN_SESSION_DURATION:
        return _recover_session(attempt)
    try:
        session = _create_session(attempt)
    except PaymentProviderFailure as failure:
        if failure.is_replay and not failure.is_refusal:
            # Stripe stores a failure under its key: the same call would repeat it for a day.
            return _recover_session(attempt)
        if failure.http_status == 400:
            _mark_failed(attempt, problem=failure.stripe_code or "refused")
        raise
    return _store_session(attempt, session)


def _recover_session(attempt: PaymentAttempt) -> PaymentAttempt:
    """Find the session whose answer was lost, or create one under a fresh key.

    A session that Stripe doesn't list was never created. Of several callers at once, one changes
    the key; all of them then use the changed one.
    """
    session = gateway.find_session(
        reference=attempt.public_id, since=attempt.created_at - timedelta(minutes=5)
    )
    if session is None:
        expires_at = clock.now() + timedelta(minutes=settings.CHECKOUT_SESSION_MINUTES)
        PaymentAttempt.objects.filter(
            pk=attempt.pk,
            session_try=attempt.session_try,
            checkout_session_id__isnull=True,
        ).update(
            session_try=attempt.session_try + 1,
            session_expires_at=expires_at,
            updated_at=clock.now(),
        )
        attempt.refresh_from_db()
        session = _create_session(attempt)
    return _store_session(attempt, session)


def _create_session(attempt: PaymentAttempt) -> CheckoutSession:
    page = f"{settings.PUBLIC_SITE_URL}{reverse('pay', args=[attempt.public_id])}"
    return gateway.create_session(
        reference=attempt.public_id,
        quote_id=attempt.quote.public_id,
        product_name=attempt.quote.pack_name or f"{attempt.quote.credits} credits",
        amount_cents=attempt.quote.price_cents,
        currency=attempt.quote.currency,
        success_url=f"{page}/paid",
        cancel_url=f"{page}/canceled",
        expires_at=attempt.session_expires_at,
        idempotency_key=attempt.stripe_key,
        customer_email=_known_email(attempt.quote),
    )


def _known_email(quote: Quote) -> str:
    """Return the buyer's email where a sponsor buys; an agent's link is for whoever opens it."""
    return quote.user.email if quote.user is not None else ""


def _store_session(attempt: PaymentAttempt, session: CheckoutSession) -> PaymentAttempt:
    with transaction.atomic():
        locked = PaymentAttempt.objects.select_for_update(of=("self",)).select_related("quote")
        attempt = locked.get(pk=attempt.pk)
        is_kept = attach_session(attempt, session)
        if is_kept and not attempt.checkout_url:
            # A webhook came first, about a session that was closed by then and had no URL.
            attempt.checkout_url = session.url
            attempt.save(update_fields=["checkout_url", "updated_at"])
    if not is_kept and session.status == "open":
        gateway.expire_session(session.id)
    return attempt


def _mark_failed(attempt: PaymentAttempt, *, problem: str) -> None:
    PaymentAttempt.objects.filter(pk=attempt.pk, status=AttemptStatus.CREATED).update(
        status=AttemptStatus.FAILED, problem=problem[:64], updated_at=clock.now()
    )


def _record_activity(attempt: PaymentAttempt) -> None:
    quote = attempt.quote
    activity.record(
        activity.event(
            type="payment.checkout_session.created",
            organization_id=quote.organization_id,
            agent_id=quote.agent_id,
            subject_id=attempt.public_id,
            operation="payment",
            summary=f"Checkout opened for {quote.credits} credits",
            status="action_required",
            links={
                "quote_id": quote.public_id,
                "payment_attempt_id": attempt.public_id,
                "checkout_session_id": attempt.checkout_session_id,
            },
            details={
                "credits": quote.credits,
                "amount_cents": quote.price_cents,
                "currency": quote.currency,
                "environment": attempt.environment,
            },
            trace_id=attempt.trace_id or None,
        )
    )
