"""Notifies agents (by events) and sponsors (by email) of what a reversal did to their credits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts import activity
from accounts.mail import alerts
from accounts.models import Alert
from billing.ledger.clawbacks import Parts
from billing.models import PaymentReversal, Receipt
from imageskill.lib.amounts import format_amount

_REFUND = PaymentReversal.Kind.REFUND


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one reversal took before and takes now."""

    reversal: PaymentReversal
    before: Parts
    after: Parts
    is_newly_rejected: bool

    @property
    def growth(self) -> int:
        """How many credits more it takes."""
        return self.after.credits - self.before.credits


def notify(receipt: Receipt, outcomes: Sequence[Outcome]) -> None:
    """Notify of what the reversals of a receipt changed together, and of those rejected.

    A shift of shares between them changes no balance and is told to nobody: what one of them
    gives back and another takes in the same breath cancels out.
    """
    growth = sum(outcome.growth for outcome in outcomes)
    taken, owed, written_off = (
        sum(outcome.after[part] - outcome.before[part] for outcome in outcomes) for part in range(3)
    )
    if growth > 0:
        _notify_growth(receipt, outcomes, taken=max(0, taken), left=growth)
    elif growth < 0:
        parts = Parts(max(0, -taken), max(0, -owed), max(0, -written_off))
        _notify_reinstated(receipt, outcomes, parts)
    for outcome in outcomes:
        if outcome.is_newly_rejected:
            _notify_rejected(outcome.reversal, receipt)


def _notify_growth(receipt: Receipt, outcomes: Sequence[Outcome], *, taken: int, left: int) -> None:
    """Share what was taken, and what is owed, among the reversals that grew, in their order."""
    net_cents = receipt.amount_cents - sum(item.reversal.in_force_cents for item in outcomes)
    for outcome in outcomes:
        credits = min(max(0, outcome.growth), left)
        part = min(credits, taken)
        if credits:
            owed = credits - part
            _notify_debited(outcome.reversal, receipt, taken=part, owed=owed, net_cents=net_cents)
        taken, left = taken - part, left - credits


def _notify_debited(
    reversal: PaymentReversal, receipt: Receipt, *, taken: int, owed: int, net_cents: int
) -> None:
    """Notify of debited credits and, separately, of those that are owed because they were spent."""
    is_refund = reversal.kind == _REFUND
    moved = {"credits": taken, "owed_credits": owed, "excess_credits": reversal.excess_credits}
    if taken:
        _record(
            "credits.payment_backed_refunded" if is_refund else "credits.payment_backed_disputed",
            reversal,
            receipt,
            summary=f"{taken} credits taken back by a {reversal.kind}",
            status="succeeded",
            details=moved,
        )
    if owed:
        _record(
            "credits.payment_backed_reversal_pending",
            reversal,
            receipt,
            summary=f"{owed} credits of a {reversal.kind} had been spent and are owed",
            status="pending",
            details=moved,
        )
    alerts.notify_owner(
        receipt.organization_id,
        Alert.Kind.REFUND if is_refund else Alert.Kind.DISPUTE,
        receipt.public_id,
        cause=reversal.public_id,
        facts={
            "amount": format_amount(reversal.amount_cents, reversal.currency, with_symbol=True),
            "number": receipt.number,
            "credits": reversal.credits,
            "owed": owed,
            "net": format_amount(net_cents, receipt.currency, with_symbol=True),
        },
    )


def _notify_reinstated(receipt: Receipt, outcomes: Sequence[Outcome], parts: Parts) -> None:
    """Share what came back among the reversals that shrank: forgiven debt first, then credits."""
    returned, forgiven, recovered = parts
    for outcome in outcomes:
        left = min(max(0, -outcome.growth), returned + forgiven + recovered)
        if not left:
            continue
        part_forgiven = min(left, forgiven)
        part_recovered = min(left - part_forgiven, recovered)
        part_returned = left - part_forgiven - part_recovered
        _record(
            "credits.payment_backed_reinstated",
            outcome.reversal,
            receipt,
            summary=f"{part_returned} credits came back after a {outcome.reversal.kind}",
            status="succeeded",
            details={
                "cause": "refund_failed" if outcome.reversal.kind == _REFUND else "dispute_won",
                "credits": part_returned,
                "owed_credits_forgiven": part_forgiven,
            },
        )
        returned -= part_returned
        forgiven, recovered = forgiven - part_forgiven, recovered - part_recovered


def _notify_rejected(reversal: PaymentReversal, receipt: Receipt) -> None:
    """Notify of a reversal that moved nothing because it can't be reconciled."""
    _record(
        "credits.payment_backed_reversal_rejected",
        reversal,
        receipt,
        summary=f"a {reversal.kind} could not be matched safely; no credits moved",
        status="rejected",
        details={"reason": reversal.problem, "excess_credits": reversal.excess_credits},
    )


_WITH_CREDIT_EVENT = {"credits.payment_backed_refunded", "credits.payment_backed_disputed"}


def _record(
    type: str,
    reversal: PaymentReversal,
    receipt: Receipt,
    *,
    summary: str,
    status: str,
    details: dict[str, Any],
) -> None:
    links = {
        "quote_id": receipt.quote.public_id,
        "receipt_id": receipt.public_id,
        "payment_reversal_id": reversal.public_id,
    }
    if type in _WITH_CREDIT_EVENT:
        links["credit_event_id"] = reversal.credit_event_id
    activity.record(
        activity.event(
            type=type,
            organization_id=receipt.organization_id,
            agent_id=receipt.agent_id,
            subject_id=reversal.credit_event_id,
            operation="credits",
            summary=summary,
            status=status,
            links=links,
            details={
                "amount_cents": reversal.amount_cents,
                "currency": reversal.currency,
                **details,
            },
        )
    )
