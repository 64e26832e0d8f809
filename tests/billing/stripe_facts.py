"""Refunds and disputes as Stripe would describe them, for tests that need no server."""

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count

from billing.stripe.objects import BalanceTransaction, Dispute, Refund

THEN = datetime(2026, 11, 1, tzinfo=UTC)
_places = count()


def created_at(stripe_id: str) -> datetime:
    """Return when Stripe made it: each a second after the one that the same test made before."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]  # without its phase
    return _created_at(test, stripe_id)


@cache
def _created_at(test: str, stripe_id: str) -> datetime:
    return THEN + timedelta(seconds=next(_places))


def read_at(number: int) -> datetime:
    """Return the moment of the reading of that number."""
    return THEN + timedelta(days=1, minutes=number)


def refund(
    stripe_id: str,
    charge: str,
    cents: int,
    *,
    status: str = "succeeded",
    currency: str = "USD",
    request: str = "",
) -> Refund:
    return Refund(
        id=stripe_id,
        charge_id=charge,
        payment_intent_id=charge.replace("ch_", "pi_"),
        amount_cents=cents,
        currency=currency,
        status=status,
        reason="requested_by_customer",
        created_at=created_at(stripe_id),
        balance_transaction_id=f"txn_{stripe_id}",
        metadata={"refund_request": request} if request else {},
    )


def dispute(
    stripe_id: str,
    charge: str,
    cents: int,
    *,
    status: str = "needs_response",
    withdrawn: bool = True,
    reinstated: bool | int = False,
    currency: str = "USD",
):
    movements = []
    if withdrawn:
        movements.append(_movement(f"txn_{stripe_id}_out", stripe_id, -cents))
    if reinstated:
        back = cents if reinstated is True else reinstated
        movements.append(_movement(f"txn_{stripe_id}_in", stripe_id, back))
    return Dispute(
        id=stripe_id,
        charge_id=charge,
        payment_intent_id=charge.replace("ch_", "pi_"),
        amount_cents=cents,
        currency=currency,
        status=status,
        reason="fraudulent",
        is_charge_refundable=False,
        evidence_due_by=THEN,
        created_at=created_at(stripe_id),
        metadata={},
        movements=tuple(movements),
    )


def _movement(stripe_id: str, source: str, cents: int) -> BalanceTransaction:
    return BalanceTransaction(
        id=stripe_id,
        type="adjustment",
        reporting_category="dispute" if cents < 0 else "dispute_reversal",
        amount_cents=cents,
        fee_cents=1500,
        net_cents=cents - 1500,
        currency="USD",
        source_id=source,
        created_at=THEN,
        exchange_rate=Decimal(1),
    )
