"""Fetch from Stripe: apply what a discrepancy is about as it is there now, and compare again."""

from django.db import transaction

from accounts import audit
from accounts.models import User
from billing.models import BalanceMovement, Difference
from billing.purchases import fulfillment
from billing.reconciliation import run
from billing.reversals import applying, facts
from billing.stripe import gateway
from billing.stripe.objects import Dispute, Refund
from imageskill.lib.errors import NotFound

_ATTEMPT_KEY = "payment_attempt_id"  # in the metadata of our charges
_DISPUTE_PREFIXES = ("du_", "dp_")


class FetchRefused(Exception):
    """Stripe can't be asked about it; the message says why and what to do."""


def fetch(*, difference: Difference, user: User, reason: str) -> Difference:
    """Apply the payment, refund or dispute of a discrepancy as Stripe has it, then compare its day.

    Repeating it moves nothing more. Raises FetchRefused where Stripe has nothing to apply, and
    PaymentProviderFailure where it can't be read.
    """
    outcome = _apply(difference.stripe_id)
    run.run(since=difference.day, until=difference.day)
    difference.refresh_from_db()
    with transaction.atomic():
        audit.record(
            user=user,
            action="difference.fetch",
            subject=difference.key[:128],
            reason=reason,
            after={"outcome": outcome, "state": difference.state},
        )
    return difference


def can_fetch(difference: Difference) -> bool:
    """Return whether the discrepancy is open, and about something that Stripe can be asked for."""
    prefixes = ("ch_", "py_", "re_", "pyr_", *_DISPUTE_PREFIXES)
    is_open = difference.state == Difference.State.OPEN
    return is_open and difference.stripe_id.startswith(prefixes)


def kind_of(difference: Difference) -> str:
    """Return what a discrepancy is about, in a word."""
    movement = BalanceMovement.objects.filter(source_id=difference.stripe_id).first()
    if movement is not None:
        return str(movement.get_category_display()).lower()
    return "payment" if difference.stripe_id.startswith(("ch_", "py_")) else "refund"


def _apply(stripe_id: str) -> str:
    if stripe_id.startswith(_DISPUTE_PREFIXES):
        return _apply_reversals(gateway.retrieve_dispute(stripe_id))
    if stripe_id.startswith(("re_", "pyr_")):
        return _apply_reversals(gateway.retrieve_refund(stripe_id))
    return _apply_payment(stripe_id)


def _apply_reversals(one: Refund | Dispute) -> str:
    """Apply all refunds and disputes of the payment that one of them is of."""
    read = facts.read(charge_id=one.charge_id, payment_intent_id=one.payment_intent_id)
    applying.apply(read)
    return str(read)


def _apply_payment(charge_id: str) -> str:
    attempt_id = gateway.retrieve_charge(charge_id).metadata.get(_ATTEMPT_KEY, "")
    if not attempt_id:
        raise FetchRefused("Stripe names no checkout of ours for this payment. Refund it there.")
    try:
        return fulfillment.fulfill(payment_attempt_id=attempt_id).status
    except (NotFound, fulfillment.UnknownAttempt):
        raise FetchRefused(
            f"Stripe names the checkout {attempt_id}, which does not exist here. "
            "Refund the payment at Stripe, then resolve this."
        ) from None
