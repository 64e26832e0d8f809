"""Notifies agents (by events) and sponsors (by email) of what a reversal did to their credits."""

from typing import Any

from accounts import activity
from accounts.mail import alerts
from accounts.models import Alert
from billing.ledger.clawbacks import ClawbackAmounts, ReinstatedAmounts
from billing.models import PaymentReversal, Receipt
from imageskill.lib.amounts import format_amount

_REFUND = PaymentReversal.Kind.REFUND


def notify_debited(reversal: PaymentReversal, receipt: Receipt, amounts: ClawbackAmounts) -> None:
    """Notify of debited credits and, separately, of those that are owed because they were spent."""
    is_refund = reversal.kind == _REFUND
    moved = {
        "credits": amounts.taken,
        "owed_credits": amounts.owed,
        "excess_credits": reversal.excess_credits,
    }
    if amounts.taken:
        _record(
            "credits.payment_backed_refunded" if is_refund else "credits.payment_backed_disputed",
            reversal,
            receipt,
            summary=f"{amounts.taken} credits taken back by a {reversal.kind}",
            status="succeeded",
            details=moved,
        )
    if amounts.owed:
        _record(
            "credits.payment_backed_reversal_pending",
            reversal,
            receipt,
            summary=f"{amounts.owed} credits of a {reversal.kind} had been spent and are owed",
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
            "owed": amounts.owed,
        },
    )


def notify_reinstated(
    reversal: PaymentReversal, receipt: Receipt, amounts: ReinstatedAmounts
) -> None:
    """Notify of returned credits."""
    _record(
        "credits.payment_backed_reinstated",
        reversal,
        receipt,
        summary=f"{amounts.returned} credits came back after a {reversal.kind}",
        status="succeeded",
        details={"credits": amounts.returned, "owed_credits_forgiven": amounts.forgiven},
    )


def notify_rejected(reversal: PaymentReversal, receipt: Receipt) -> None:
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
