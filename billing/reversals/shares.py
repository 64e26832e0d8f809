"""What of a receipt is refunded, disputed or under way, in cents and credits, as it stands now."""

from dataclasses import dataclass

from django.db.models import Q, Sum

from billing.models import PaymentReversal, Receipt, RefundRequest, UnmatchedPayment
from billing.models.refunds import RefundRequestQuerySet
from billing.reversals import facts, in_force, receipt_effects, unmatched

_Kind = PaymentReversal.Kind


@dataclass(frozen=True, slots=True)
class ReceiptShares:
    """A receipt's cents by what became of them; what is neither is still ours."""

    refunded_cents: int
    disputed_cents: int  # lost ones included
    lost_cents: int
    under_way_cents: int  # refunds that are requested, approved, sent or pending at Stripe

    @property
    def in_force_cents(self) -> int:
        """What is refunded or disputed."""
        return self.refunded_cents + self.disputed_cents

    def refundable_cents(self, receipt: Receipt) -> int:
        """Return what can still be refunded of the receipt."""
        left: int = receipt.amount_cents - self.in_force_cents - self.under_way_cents
        return max(0, left)


def of_receipt(receipt: Receipt, *, excluding: RefundRequest | None = None) -> ReceiptShares:
    """Return the shares of a receipt; a request that is being decided is left out."""
    rows = PaymentReversal.objects.filter(receipt=receipt)
    sums = rows.aggregate(
        refunded=Sum("in_force_cents", filter=Q(kind=_Kind.REFUND), default=0),
        disputed=Sum("in_force_cents", filter=Q(kind=_Kind.DISPUTE), default=0),
        lost=Sum("in_force_cents", filter=Q(state=PaymentReversal.State.LOST), default=0),
        pending=_pending_sum(),
    )
    requested = _requested_cents(RefundRequest.objects.filter(receipt=receipt), excluding)
    return ReceiptShares(
        refunded_cents=sums["refunded"],
        disputed_cents=sums["disputed"],
        lost_cents=sums["lost"],
        under_way_cents=sums["pending"] + requested,
    )


def refundable_cents(receipt: Receipt, *, excluding: RefundRequest | None = None) -> int:
    """Return what can still be refunded of a receipt."""
    return of_receipt(receipt, excluding=excluding).refundable_cents(receipt)


def refundable_of_unmatched(
    payment: UnmatchedPayment, *, excluding: RefundRequest | None = None
) -> int:
    """Return what can still be refunded of a payment that granted nothing.

    What a dispute took is not with us any more, whether or not it is decided.
    """
    rows = PaymentReversal.objects.filter(facts.is_of(payment.charge_id, payment.payment_intent_id))
    pending = rows.aggregate(cents=_pending_sum())["cents"]
    requests = RefundRequest.objects.filter(unmatched_payment=payment)
    under_way = pending + _requested_cents(requests, excluding)
    gone = sum(
        fact.standing_cents
        for fact in unmatched.reversal_facts(payment)
        if fact.currency == payment.currency
    )
    left: int = payment.amount_cents - gone - under_way
    return max(0, left)


def credits_of_refund(receipt: Receipt, amount_cents: int, *, in_force_cents: int) -> int:
    """Return how many credits a refund of so many cents would take beside those in force."""
    payment = receipt_effects.payment_of(receipt)
    total = min(in_force_cents + amount_cents, payment.cents)
    return in_force.credits_for(payment, total) - in_force.credits_for(payment, in_force_cents)


def cents_of_credits(receipt: Receipt, credits: int) -> int:
    """Return how many cents were paid for so many of a receipt's credits, rounded down."""
    cents: int = receipt.amount_cents * credits // receipt.credits
    return cents


def is_disputed(receipt: Receipt) -> bool:
    """Return whether a dispute keeps the receipt's charge from being refunded."""
    disputes = PaymentReversal.objects.filter(receipt=receipt, kind=_Kind.DISPUTE)
    return any(in_force.is_blocking(facts.as_fact(dispute)) for dispute in disputes)


def has_inquiry(receipt: Receipt) -> bool:
    """Return whether the buyer's bank asks about the payment, and has withdrawn nothing."""
    return PaymentReversal.objects.filter(
        receipt=receipt,
        kind=_Kind.DISPUTE,
        state=PaymentReversal.State.SEEN,
        stripe_status__startswith="warning_",
    ).exists()


def _pending_sum() -> Sum:
    pending = Q(kind=_Kind.REFUND, stripe_status__in=in_force.REFUND_PENDING)
    return Sum("amount_cents", filter=pending, default=0)


def _requested_cents(requests: RefundRequestQuerySet, excluding: RefundRequest | None) -> int:
    """Add up what is requested or approved and not at Stripe yet, where reversals count it."""
    requests = requests.open().filter(reversal__isnull=True)
    if excluding is not None:
        requests = requests.exclude(pk=excluding.pk)
    cents: int = requests.aggregate(cents=Sum("amount_cents", default=0))["cents"]
    return cents
