"""Matches Stripe's balance transactions with receipts and reversals, and finds what differs."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from billing.chart import ROUTES, Term, TransferKind
from billing.models import (
    BalanceMovement,
    Difference,
    PaymentReversal,
    Receipt,
    Transfer,
)
from billing.reconciliation import effects
from imageskill.lib import clock

_Category, _Reason = BalanceMovement.Category, Difference.Reason

# The line of a day's totals to which a balance transaction belongs.
_KINDS: dict[str, str] = {
    _Category.PAYMENT: "receipts",
    _Category.REFUND: "refunds",
    _Category.REFUND_FAILURE: "refunds",
    _Category.DISPUTE: "disputes",
    _Category.DISPUTE_REVERSAL: "disputes",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One discrepancy between Stripe and the ledger."""

    reason: str
    what: str
    stripe_id: str
    day: date
    stripe_cents: int | None = None
    stripe_currency: str = "USD"
    our_cents: int | None = None
    receipt: Receipt | None = None
    reversal: PaymentReversal | None = None

    @property
    def key(self) -> str:
        """The identity by which a later run recognizes the discrepancy."""
        return f"{self.reason}:{self.what}:{self.stripe_id}"

    def columns(self, environment: str) -> dict[str, Any]:
        """Return the columns of its row."""
        return {
            "reason": self.reason,
            "day": self.day,
            "environment": environment,
            "stripe_id": self.stripe_id,
            "receipt": self.receipt,
            "reversal": self.reversal,
            "stripe_cents": self.stripe_cents,
            "stripe_currency": self.stripe_currency,
            "our_cents": self.our_cents,
        }


def compare(movements: list[BalanceMovement]) -> Iterator[Finding]:
    """Compare each balance transaction with its receipt or reversal."""
    times = Counter((movement.category, movement.source_id) for movement in movements)
    for movement in movements:
        if movement.category == _Category.OTHER:
            continue
        if times[movement.category, movement.source_id] > 1:
            yield _finding(_Reason.DOUBLE, movement)
        elif movement.category == _Category.PAYMENT:
            yield from _compare_payment(movement)
        else:
            yield from _compare_reversal(movement)


def day_totals(movements: list[BalanceMovement], missing: Iterable[Finding] = ()) -> dict[str, int]:
    """Return the totals of one day, signed: at Stripe, and here for the same money.

    What Stripe moved twice is counted here once; what it did not move (`missing`) is counted here.
    """
    theirs: Counter[str] = Counter()
    for movement in movements:
        theirs[_KINDS.get(movement.category, "")] += movement.amount_cents
        theirs["fees"] += movement.fee_cents
    ours = _posted_totals(movements)
    for finding in missing:
        ours[f"{finding.what}s"] += finding.our_cents or 0
    receipts = {m.receipt for m in movements if m.category == _Category.PAYMENT and m.receipt}
    reversals = {movement.reversal for movement in movements if movement.reversal}
    granted, reversed_ = _ledger_credits(receipts, reversals)
    return {
        "stripe_payments_cents": theirs["receipts"],
        "stripe_refunds_cents": theirs["refunds"],
        "stripe_disputes_cents": theirs["disputes"],
        "stripe_fees_cents": theirs["fees"],
        "receipts_cents": ours["receipts"],
        "refunds_cents": ours["refunds"],
        "disputes_cents": ours["disputes"],
        "granted_credits": granted,
        "reversed_credits": reversed_,
    }


def _posted_totals(movements: list[BalanceMovement]) -> Counter[str]:
    once = {(movement.category, movement.source_id): movement for movement in movements}
    totals: Counter[str] = Counter()
    for movement in once.values():
        if movement.category in _KINDS:
            totals[_KINDS[movement.category]] += effects.posted_cents(movement)
    return totals


def _compare_payment(movement: BalanceMovement) -> Iterator[Finding]:
    payment = movement.receipt or movement.unmatched_payment
    if payment is None:
        yield _finding(_Reason.MISSING_EVENT, movement)
        return
    yield from _compare_amount(movement, payment.currency)
    if movement.receipt is None:
        return
    receipt = movement.receipt
    granted = Transfer.objects.filter(key=f"receipt:{receipt.public_id}:grant").first()
    if granted is None or granted.credits != receipt.credits:
        yield _finding(_Reason.STATE, movement, our_cents=granted.credits if granted else 0)


def _compare_reversal(movement: BalanceMovement) -> Iterator[Finding]:
    reversal = movement.reversal
    if reversal is None:
        yield _finding(_Reason.MISSING_EVENT, movement)
        return
    yield from _compare_amount(movement, reversal.currency)
    if not effects.is_posted(movement.category, reversal):
        yield _finding(_Reason.STATE, movement, our_cents=0)


def _compare_amount(movement: BalanceMovement, our_currency: str) -> Iterator[Finding]:
    ours = effects.recorded_cents(movement)
    if ours != movement.amount_cents:
        yield _finding(_mismatch_reason(movement, ours, our_currency), movement, our_cents=ours)


def _mismatch_reason(movement: BalanceMovement, our_cents: int, our_currency: str) -> str:
    if movement.currency != our_currency:
        return _Reason.EXCHANGE
    off = abs(movement.amount_cents - our_cents)
    return _Reason.FEE if off == abs(movement.fee_cents) else _Reason.AMOUNT


def _ledger_credits(receipts: set[Receipt], reversals: set[PaymentReversal]) -> tuple[int, int]:
    """Return the credits granted for these receipts, and those net of these reversals."""
    granted = Transfer.objects.filter(
        kind=TransferKind.PAID_GRANT, reference__in=[receipt.public_id for receipt in receipts]
    )
    taken = Transfer.objects.filter(reference__in=[reversal.public_id for reversal in reversals])
    return (
        sum(granted.values_list("credits", flat=True)),
        -sum(
            ROUTES[TransferKind(kind)].sign * credits
            for kind, credits in taken.values_list("kind", "credits")
            if ROUTES[TransferKind(kind)].term == Term.REVERSED
        ),
    )


def _finding(reason: str, movement: BalanceMovement, our_cents: int | None = None) -> Finding:
    return Finding(
        reason=reason,
        what=movement.category,
        stripe_id=movement.source_id,
        day=clock.utc_day(movement.created_at),
        stripe_cents=movement.amount_cents,
        stripe_currency=movement.currency,
        our_cents=our_cents,
        receipt=movement.receipt,
        reversal=movement.reversal,
    )
