"""What is recorded here and Stripe never moved: payments, refunds, and refunds that failed."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from billing.models import (
    BalanceMovement,
    Difference,
    PaymentReversal,
    Rail,
    Receipt,
    UnmatchedPayment,
)
from billing.reconciliation.balance_transactions import FetchedTransaction
from billing.reconciliation.matching import Finding
from billing.reversals import in_force
from billing.stripe import gateway
from imageskill.lib import clock

_Category, _Reason, _State = BalanceMovement.Category, Difference.Reason, PaymentReversal.State


def find(*, since: datetime, until: datetime, read: list[FetchedTransaction]) -> list[Finding]:
    """Return payments and refunds for which Stripe moved nothing; asks Stripe about each.

    Payments that granted nothing, and their refunds, are among them.
    """
    moved = {item.movement.source_id for item in read}
    moved_back = {
        item.movement.source_id for item in read if item.category == _Category.REFUND_FAILURE
    }
    return [
        *_receipts_without_movement(since, until, moved),
        *_unmatched_without_movement(since, until, moved),
        *_refunds_without_movement(since, until, moved),
        *_failures_without_movement(since, until, moved_back),
    ]


def _receipts_without_movement(
    since: datetime, until: datetime, moved: set[str]
) -> Iterator[Finding]:
    receipts = Receipt.objects.filter(
        issued_at__gte=since,
        issued_at__lt=until,
        payment_method=Rail.STRIPE_CHECKOUT,
        environment=gateway.environment(),
    ).exclude(charge_id="")
    for receipt in receipts:
        if receipt.charge_id in moved or _charge_moved(receipt.charge_id):
            continue
        yield Finding(
            reason=_Reason.MISSING_MOVEMENT,
            what="receipt",
            stripe_id=receipt.charge_id,
            day=clock.utc_day(receipt.issued_at),
            our_cents=receipt.amount_cents,
            receipt=receipt,
        )


def _unmatched_without_movement(
    since: datetime, until: datetime, moved: set[str]
) -> Iterator[Finding]:
    payments = UnmatchedPayment.objects.filter(
        found_at__gte=since, found_at__lt=until, environment=gateway.environment()
    ).exclude(charge_id="")
    for payment in payments:
        if payment.charge_id in moved or _charge_moved(payment.charge_id):
            continue
        yield Finding(
            reason=_Reason.MISSING_MOVEMENT,
            what="receipt",  # the line of the day's totals
            stripe_id=payment.charge_id,
            day=clock.utc_day(payment.found_at),
            our_cents=payment.amount_cents,
        )


def _refunds_without_movement(
    since: datetime, until: datetime, moved: set[str]
) -> Iterator[Finding]:
    environment = gateway.environment()
    is_set_aside = Q(state=_State.SET_ASIDE, stripe_status="succeeded") & Q(
        _exists_unmatched(environment)
    )
    refunds = PaymentReversal.objects.filter(
        Q(state=_State.APPLIED, receipt__environment=environment) | is_set_aside,
        kind=PaymentReversal.Kind.REFUND,
        created_at__gte=since,
        created_at__lt=until,
    ).select_related("receipt")
    for reversal in refunds:
        if reversal.stripe_id in moved or _refund_moved(reversal.stripe_id):
            continue
        yield _missing_refund(reversal, day=reversal.created_at, cents=-reversal.amount_cents)


def _failures_without_movement(
    since: datetime, until: datetime, moved_back: set[str]
) -> Iterator[Finding]:
    """Yield refunds that failed while Stripe kept what it had moved for them."""
    environment = gateway.environment()
    refunds = PaymentReversal.objects.filter(
        Q(receipt__environment=environment) | Q(_exists_unmatched(environment)),
        kind=PaymentReversal.Kind.REFUND,
        stripe_status__in=in_force.REFUND_FAILED,
        read_at__gte=since,
        read_at__lt=until,
    ).select_related("receipt")
    for reversal in refunds:
        if reversal.stripe_id in moved_back or not _is_kept(reversal.stripe_id):
            continue
        yield _missing_refund(
            reversal, day=reversal.read_at or reversal.created_at, cents=reversal.amount_cents
        )


def _missing_refund(reversal: PaymentReversal, *, day: datetime, cents: int) -> Finding:
    return Finding(
        reason=_Reason.MISSING_MOVEMENT,
        what="refund",
        stripe_id=reversal.stripe_id,
        day=clock.utc_day(day),
        our_cents=cents,
        receipt=reversal.receipt,
        reversal=reversal,
    )


def _exists_unmatched(environment: str) -> Exists:
    """Return whether a reversal is of a payment that granted nothing, in this environment."""
    same_charge = Q(charge_id=OuterRef("charge_id")) & ~Q(charge_id="")
    same_payment = Q(payment_intent_id=OuterRef("payment_intent_id")) & ~Q(payment_intent_id="")
    payments = UnmatchedPayment.objects.filter(environment=environment)
    return Exists(payments.filter(same_charge | same_payment))


def _charge_moved(charge_id: str) -> bool:
    try:
        return bool(gateway.retrieve_charge(charge_id).balance_transaction_id)
    except gateway.PaymentProviderFailure as failure:
        if failure.is_missing:
            return False
        raise


def _refund_moved(refund_id: str) -> bool:
    try:
        return bool(gateway.retrieve_refund(refund_id).balance_transaction_id)
    except gateway.PaymentProviderFailure as failure:
        if failure.is_missing:
            return False
        raise


def _is_kept(refund_id: str) -> bool:
    """Return whether Stripe moved money for a failed refund and never moved it back."""
    try:
        refund = gateway.retrieve_refund(refund_id)
    except gateway.PaymentProviderFailure as failure:
        if failure.is_missing:
            return False
        raise
    return bool(refund.balance_transaction_id) and not refund.failure_balance_transaction_id
