"""Stripe's balance transactions: read, filtered by installation, and stored."""

from dataclasses import dataclass
from datetime import datetime

from billing.models import BalanceMovement, PaymentReversal, Receipt, UnmatchedPayment
from billing.reversals import applying
from billing.stripe import gateway, ownership
from billing.stripe.objects import BalanceTransaction

_Category = BalanceMovement.Category

_CATEGORIES = {
    "charge": _Category.PAYMENT,
    "refund": _Category.REFUND,
    "partial_capture_reversal": _Category.REFUND,
    "refund_failure": _Category.REFUND_FAILURE,
    "dispute": _Category.DISPUTE,
    "dispute_reversal": _Category.DISPUTE_REVERSAL,
}
_REFUND_CATEGORIES = (_Category.REFUND, _Category.REFUND_FAILURE)


@dataclass(frozen=True, slots=True)
class FetchedTransaction:
    """One balance transaction, its category, and whether it is ours."""

    movement: BalanceTransaction
    category: str
    is_ours: bool


def fetch(*, since: datetime, until: datetime) -> list[FetchedTransaction]:
    """Read the balance transactions of [since, until) from Stripe, and their unknown sources."""
    fetched = []
    for movement in gateway.list_balance_transactions(since=since, until=until):
        category = _CATEGORIES.get(movement.reporting_category, _Category.OTHER)
        fetched.append(
            FetchedTransaction(movement, category, _is_ours(movement.source_id, category))
        )
    return fetched


def store(fetched: list[FetchedTransaction], *, environment: str) -> list[BalanceMovement]:
    """Store the transactions that are ours, once each, with their receipt or reversal."""
    stored = []
    for item in fetched:
        if not item.is_ours:
            continue
        row, _ = BalanceMovement.objects.update_or_create(
            stripe_id=item.movement.id,
            defaults={
                "category": item.category,
                "stripe_type": item.movement.type,
                "source_id": item.movement.source_id,
                "amount_cents": item.movement.amount_cents,
                "fee_cents": item.movement.fee_cents,
                "net_cents": item.movement.net_cents,
                "currency": item.movement.currency,
                "exchange_rate": item.movement.exchange_rate,
                "environment": environment,
                "created_at": item.movement.created_at,
                **_related_rows(item),
            },
        )
        stored.append(row)
    return stored


def _related_rows(item: FetchedTransaction) -> dict[str, object]:
    source = item.movement.source_id
    if item.category == _Category.PAYMENT:
        return _payment_of(source)
    if item.category == _Category.OTHER:
        return {}
    reversal = PaymentReversal.objects.filter(stripe_id=source).select_related("receipt").first()
    if reversal is None or reversal.receipt is not None:
        return {"reversal": reversal, "receipt": reversal.receipt if reversal else None}
    return {"reversal": reversal, **_payment_of(reversal.charge_id)}


def _payment_of(charge_id: str) -> dict[str, object]:
    """Return the receipt of a charge, or the payment for which nothing was granted."""
    receipt = Receipt.objects.filter(charge_id=charge_id).first() if charge_id else None
    unmatched = None
    if charge_id and receipt is None:
        unmatched = UnmatchedPayment.objects.filter(charge_id=charge_id).first()
    return {"receipt": receipt, "unmatched_payment": unmatched}


def _is_ours(source_id: str, category: str) -> bool:
    """Return whether a transaction is ours; payouts and fees belong to the whole account."""
    if category == _Category.OTHER or not source_id:
        return True
    if category == _Category.PAYMENT:
        return _is_our_charge(source_id, "")
    if PaymentReversal.objects.filter(stripe_id=source_id).exists():
        return True
    about = (
        gateway.retrieve_refund(source_id)
        if category in _REFUND_CATEGORIES
        else gateway.retrieve_dispute(source_id)
    )
    return _is_our_charge(about.charge_id, about.payment_intent_id)


def _is_our_charge(charge_id: str, payment_intent_id: str) -> bool:
    is_known = applying.is_known_payment(charge_id=charge_id, payment_intent_id=payment_intent_id)
    return ownership.is_our_charge(charge_id, is_known=is_known)
