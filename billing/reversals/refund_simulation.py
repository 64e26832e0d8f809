"""Simulates a refund: what it would do, and whether it can be requested."""

from dataclasses import dataclass

from billing import ledger
from billing.models import Lot, Rail, Receipt, RefundBlock, RefundRequest
from billing.reversals import shares
from billing.reversals.shares import ReceiptShares
from imageskill.lib import amounts


@dataclass(frozen=True, slots=True)
class RefundSimulation:
    """What a refund would do to the organization if Stripe confirmed it now."""

    refundable_cents: int
    unused_credits: int
    amount_cents: int
    credits: int  # what it takes, owed ones included
    debited_credits: int
    owed_after: int
    held_credits: int
    has_inquiry: bool  # which a refund usually closes
    refusal: str  # why it can't be requested; empty where it can


def simulate(
    receipt: Receipt, *, amount_cents: int | None = None, excluding: RefundRequest | None = None
) -> RefundSimulation:
    """Return what a refund would do; by default of the unused credits.

    A request that is being decided is left out of what is under way.
    """
    standing = shares.of_receipt(receipt, excluding=excluding)
    left_cents = standing.refundable_cents(receipt)
    unused = unused_credits(receipt)
    if amount_cents is None:
        amount_cents = min(shares.cents_of_credits(receipt, unused), left_cents)
    balances = ledger.balances(receipt.organization_id)
    credits = shares.credits_of_refund(
        receipt, amount_cents, in_force_cents=standing.in_force_cents
    )
    debited = min(credits, balances.paid)
    return RefundSimulation(
        refundable_cents=left_cents,
        unused_credits=unused,
        amount_cents=amount_cents,
        credits=credits,
        debited_credits=debited,
        owed_after=balances.owed + credits - debited,
        held_credits=balances.held,
        has_inquiry=shares.has_inquiry(receipt),
        refusal=refusal_reason(receipt, amount_cents=amount_cents, standing=standing),
    )


def unused_credits(receipt: Receipt) -> int:
    """Return what is left of the receipt's own credits, without those that running jobs hold."""
    left = Lot.objects.filter(reference=receipt.public_id).values_list("left", flat=True).first()
    return left or 0


def refusal_reason(receipt: Receipt, *, amount_cents: int, standing: ReceiptShares) -> str:
    """Return why a refund can't be requested; empty where it can."""
    left_cents = standing.refundable_cents(receipt)
    if receipt.payment_method != Rail.STRIPE_CHECKOUT or not receipt.charge_id:
        return "No money moved for this receipt, so there is nothing to refund."
    if RefundBlock.objects.filter(receipt=receipt).exists():
        return "This receipt is blocked from refunds."
    if shares.is_disputed(receipt):
        return "This payment is disputed; the bank decides, and a refund would pay twice."
    if not left_cents:
        return _why_nothing_is_left(receipt, standing)
    if not 0 < amount_cents <= left_cents:
        return (
            f"Enter an amount from 0.01 to {amounts.format_amount(left_cents, receipt.currency)}."
        )
    return ""


def _why_nothing_is_left(receipt: Receipt, standing: ReceiptShares) -> str:
    under_way = standing.under_way_cents
    if not under_way:
        return "This receipt is fully refunded."
    amount = amounts.format_amount(under_way, receipt.currency)
    return f"Refunds of {amount} are requested or under way; nothing is left beside them."
