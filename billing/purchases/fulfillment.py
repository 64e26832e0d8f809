"""Fulfillment: turns a paid Checkout session into credits, once (ADR 8).

One re-entrant function, called by the webhook, by the page to which the buyer returns, and by the
sweep, in any order and at the same time. It goes by the session as it is at Stripe now; whichever
call locks the attempt first acts, and the others find that done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from billing.models import AttemptStatus, PaymentAttempt, Receipt, UnmatchedPayment
from billing.purchases import checkout, quotes, receipts
from billing.stripe import gateway, ownership
from billing.stripe.objects import CheckoutSession
from imageskill.lib import clock, trace

ACTOR = "stripe"
_Reason = UnmatchedPayment.Reason
# A buyer pays soon or not at all: the sweep checks again after a quarter of the attempt's age.
MIN_CHECK_DELAY, MAX_CHECK_DELAY = timedelta(minutes=1), timedelta(minutes=30)


class UnknownAttempt(Exception):
    """Stripe has a session that names an attempt of ours which does not exist."""


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """What applying a session did."""

    attempt: PaymentAttempt
    receipt: Receipt | None

    def __str__(self) -> str:
        granted = f", receipt {self.receipt.public_id}" if self.receipt else ""
        return f"attempt {self.attempt.public_id} {self.attempt.status}{granted}"


def fulfill(*, payment_attempt_id: str) -> PaymentAttempt:
    """Read an attempt's session at Stripe and apply it; returns the attempt as it is then.

    Raises NotFound for an unknown attempt and PaymentProviderFailure where Stripe can't be read.
    """
    attempt = checkout.find(payment_attempt_id)
    if attempt.checkout_session_id is None:
        return attempt
    return apply(gateway.retrieve_session(attempt.checkout_session_id)).attempt


def apply(session: CheckoutSession) -> SessionOutcome:
    """Apply a session, as it was read from Stripe, in one transaction.

    Raises ForeignObject for a session of another installation or mode, and UnknownAttempt for one
    that names an attempt which does not exist.
    """
    ownership.check_session(session)
    with transaction.atomic():
        locked = PaymentAttempt.objects.select_for_update(of=("self",)).select_related("quote")
        attempt = locked.filter(public_id=session.reference).first()
        if attempt is None:
            raise UnknownAttempt(session.id)
        # A webhook can arrive before the call that created the session has returned.
        is_its_session = checkout.attach_session(attempt, session)
        receipt = None
        # Paid counts whatever the attempt says by now: money that arrived late is still money.
        if session.is_paid:
            receipt = _fulfill_paid(attempt, session)
        elif is_its_session and attempt.is_payable:
            attempt.status = _unpaid_status(session)
        attempt.next_check_at = _next_check(attempt)
        attempt.save()
    return SessionOutcome(attempt, receipt)


def cancel(*, payment_attempt_id: str) -> PaymentAttempt:
    """Expire an attempt's session; if the buyer paid before that, it is fulfilled instead."""
    attempt = checkout.find(payment_attempt_id)
    if attempt.status != AttemptStatus.OPEN or attempt.checkout_session_id is None:
        return attempt
    try:
        gateway.expire_session(attempt.checkout_session_id)
    except gateway.PaymentProviderFailure as failure:
        if not failure.is_refusal:
            raise
    else:
        # Before `fulfill` reads the session: it would call an expired one expired, not canceled.
        PaymentAttempt.objects.filter(pk=attempt.pk, status=AttemptStatus.OPEN).update(
            status=AttemptStatus.CANCELED, updated_at=clock.now()
        )
    return fulfill(payment_attempt_id=payment_attempt_id)


def sweep(*, limit: int = 100) -> int:
    """Check the attempts that are due at Stripe; returns how many were checked.

    Finds payments whose webhook was lost. If Stripe can't be reached, the next run continues.
    """
    checked = 0
    for attempt in PaymentAttempt.objects.due(now=clock.now())[:limit]:
        try:
            with trace.own():
                _check_attempt(attempt)
        except gateway.PaymentProviderFailure as failure:
            if not failure.is_refusal:
                _postpone(attempt)  # last in the queue, in case only this one fails
                break
            _expire_unknown(attempt)
        except (ownership.ForeignObject, UnknownAttempt):
            _postpone(attempt)
        checked += 1
    return checked


def _check_attempt(attempt: PaymentAttempt) -> None:
    if attempt.checkout_session_id is not None:
        fulfill(payment_attempt_id=attempt.public_id)
        return
    # The call that creates the session got no answer and was not repeated: it may exist anyway.
    session = gateway.find_session(
        reference=attempt.public_id, since=attempt.created_at - timedelta(minutes=5)
    )
    if session is not None:
        apply(session)
    elif attempt.session_expires_at <= clock.now():
        PaymentAttempt.objects.filter(pk=attempt.pk, status=AttemptStatus.CREATED).update(
            status=AttemptStatus.EXPIRED, updated_at=clock.now()
        )
    else:
        _postpone(attempt)


def _expire_unknown(attempt: PaymentAttempt) -> None:
    """Expire an attempt whose session Stripe doesn't know, as after a change of account or key."""
    if attempt.session_expires_at <= clock.now():
        PaymentAttempt.objects.payable().filter(pk=attempt.pk).update(
            status=AttemptStatus.EXPIRED, problem="unknown_to_stripe", updated_at=clock.now()
        )
    else:
        _postpone(attempt)


def _postpone(attempt: PaymentAttempt) -> None:
    PaymentAttempt.objects.filter(pk=attempt.pk).update(next_check_at=_next_check(attempt))


def _fulfill_paid(attempt: PaymentAttempt, session: CheckoutSession) -> Receipt | None:
    """Grant the quote, unless it is granted, or the payment is a second one or doesn't match."""
    # The attempt is locked; the quote too, since another attempt of it may be paid at this moment.
    quote = quotes.lock_for_payment(
        quote_id=attempt.quote.public_id, organization_id=attempt.quote.organization_id
    )
    receipt: Receipt | None = Receipt.objects.filter(quote=quote).first()
    if receipt is not None and _is_for(receipt, attempt, session):
        return receipt
    reason = _mismatch(attempt, session) or (_Reason.SECOND_PAYMENT if receipt else None)
    if reason is not None:
        _record_unmatched(attempt, session, reason)
        return receipt
    attempt.status = AttemptStatus.SUCCEEDED
    attempt.payment_intent_id = session.payment_intent_id
    return receipts.issue(
        quote=quote,
        environment=attempt.environment,
        idempotency_key=attempt.idempotency_key,
        actor=ACTOR,
        attempt=attempt,
        payment=receipts.Payment.of_session(session),
    )


def _is_for(receipt: Receipt, attempt: PaymentAttempt, session: CheckoutSession) -> bool:
    return (
        receipt.attempt_id == attempt.pk and receipt.payment_intent_id == session.payment_intent_id
    )


def _mismatch(attempt: PaymentAttempt, session: CheckoutSession) -> _Reason | None:
    """Return how the payment differs from its quote, before a promotion and tax.

    The house bears a promotion's discount.
    """
    if session.currency != attempt.quote.currency:
        return _Reason.CURRENCY_MISMATCH
    discounted = session.amount_subtotal_cents - session.discount_cents
    totals = {discounted, discounted + session.tax_cents}  # tax included, or on top
    if session.amount_total_cents not in totals:
        return _Reason.AMOUNT_MISMATCH
    if session.amount_subtotal_cents != attempt.quote.price_cents:
        return _Reason.AMOUNT_MISMATCH
    return None


def _record_unmatched(attempt: PaymentAttempt, session: CheckoutSession, reason: _Reason) -> None:
    """Queue a payment that granted nothing for refund, once for each session."""
    UnmatchedPayment.objects.get_or_create(
        checkout_session_id=session.id,
        defaults={
            "quote": attempt.quote,
            "attempt": attempt,
            "payment_intent_id": session.payment_intent_id,
            "charge_id": session.charge_id,
            "reason": reason,
            "environment": attempt.environment,
            "amount_cents": session.amount_total_cents,
            "currency": session.currency,
        },
    )
    if attempt.status != AttemptStatus.SUCCEEDED:
        is_second = reason == _Reason.SECOND_PAYMENT
        attempt.status = AttemptStatus.OVERPAID if is_second else AttemptStatus.NEEDS_STAFF
        attempt.problem = reason
        attempt.payment_intent_id = session.payment_intent_id


def _unpaid_status(session: CheckoutSession) -> AttemptStatus:
    if session.status == "expired":
        return AttemptStatus.EXPIRED
    if session.status == "complete":
        return AttemptStatus.FAILED if session.has_failed else AttemptStatus.PROCESSING
    return AttemptStatus.OPEN


def _next_check(attempt: PaymentAttempt) -> datetime:
    """Return the next check: after a quarter of the attempt's age, and right after it ends."""
    now = clock.now()
    later = now + min(max((now - attempt.created_at) / 4, MIN_CHECK_DELAY), MAX_CHECK_DELAY)
    end = attempt.session_expires_at + MIN_CHECK_DELAY / 2
    return min(later, end) if end > now else later
