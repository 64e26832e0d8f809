"""Simulates a refund: what it would do, and whether it can be requested."""

from dataclasses import dataclass

from django.db.models import Sum

from billing import ledger
from billing.ledger import clawbacks
from billing.models import Lot, PaymentReversal, Rail, Receipt, RefundBlock
from imageskill.lib import amounts

_Kind, _State = PaymentReversal.Kind, PaymentReversal.State


@dataclass(frozen=True, slots=True)
class RefundSimulation:
    """What a refund would do to the organization if Stripe confirmed it now."""

    refundable_cents: int
    unused_credits: int
    amount_cents: int
    debited_credits: int
    owed_after: int
    held_credits: int
    refusal: str  # why it can't be requested; empty where it can


def simulate(receipt: Receipt, *, amount_cents: int | None = None) -> RefundSimulation:
    """Return what a refund would do; by default of the unused credits."""
    left_cents = refundable_cents(receipt)
    unused = unused_credits(receipt)
    amount = min(unused, left_cents) if amount_cents is None else amount_cents
    balances = ledger.balances(receipt.organization_id)
    credits = min(amount, receipt.credits - clawbacks.credits_in_force(receipt.public_id))
    debited = min(credits, balances.paid)
    return RefundSimulation(
        refundable_cents=left_cents,
        unused_credits=unused,
        amount_cents=amount,
        debited_credits=debited,
        owed_after=balances.owed + credits - debited,
        held_credits=balances.held,
        refusal=refusal_reason(receipt, amount_cents=amount, left_cents=left_cents),
    )


def refundable_cents(receipt: Receipt) -> int:
    """Return what Stripe can still refund: the amount less every refund in force."""
    refunds = PaymentReversal.objects.filter(receipt=receipt, kind=_Kind.REFUND)
    in_force = refunds.exclude(state__in=(_State.UNDONE, _State.CLOSED))
    refunded = in_force.aggregate(cents=Sum("amount_cents", default=0))["cents"]
    left: int = receipt.amount_cents - refunded
    return max(0, left)


def unused_credits(receipt: Receipt) -> int:
    """Return what is left of the receipt's own credits, without those that running jobs hold."""
    left = Lot.objects.filter(reference=receipt.public_id).values_list("left", flat=True).first()
    return left or 0


def refusal_reason(receipt: Receipt, *, amount_cents: int, left_cents: int) -> str:
    """Return why a refund can't be requested; empty where it can."""
    if receipt.payment_method != Rail.STRIPE_CHECKOUT or not receipt.charge_id:
        return "No money moved for this receipt, so there is nothing to refund."
    if RefundBlock.objects.filter(receipt=receipt).exists():
        return "This receipt is blocked from refunds."
    if _is_disputed(receipt):
        return "This payment is disputed; the bank decides, and a refund would pay twice."
    if not left_cents:
        return "This receipt is fully refunded."
    if not 0 < amount_cents <= left_cents:
        return (
            f"Enter an amount from 0.01 to {amounts.format_amount(left_cents, receipt.currency)}."
        )
    return ""


def _is_disputed(receipt: Receipt) -> bool:
    disputes = PaymentReversal.objects.filter(receipt=receipt, kind=_Kind.DISPUTE)
    inquiries = disputes.filter(state=_State.SEEN, stripe_status__startswith="warning_")
    over = disputes.filter(state__in=(_State.UNDONE, _State.CLOSED))
    return disputes.exclude(pk__in=inquiries).exclude(pk__in=over).exists()
