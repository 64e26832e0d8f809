"""The refunds of a purchase, each as it stands: requested, decided, at Stripe, and how it ended."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from billing.models import (
    AttemptStatus,
    PaymentAttempt,
    PaymentReversal,
    Quote,
    RefundRequest,
    RefundStatus,
    UnmatchedPayment,
)
from billing.stripe import refund_failures

_FAILED = {"failed", "canceled"}
_WITHOUT_GRANT = {AttemptStatus.NEEDS_STAFF, AttemptStatus.OVERPAID}


@dataclass(frozen=True, slots=True)
class RefundState:
    """One refund: what was requested, else what was made at Stripe."""

    reversal_id: str | None  # ours, as events link it; none before Stripe has it
    status: RefundStatus
    amount_cents: int
    currency: str
    failure: str  # why it failed, in words
    requested_at: datetime


def of_purchase(quote: Quote) -> list[RefundState]:
    """Return the refunds of what was paid for a quote, credits granted or not, oldest first."""
    requests = list(_requests(quote))
    known = {request.reversal_id for request in requests}
    others = [refund for refund in _refunds(quote) if refund.pk not in known]
    states = [*map(_of_request, requests), *map(_of_reversal, others)]
    return sorted(states, key=lambda state: state.requested_at)


def returned_as(attempt: PaymentAttempt) -> str | None:
    """Return the state of a payment that granted nothing; None for any other attempt."""
    if attempt.status not in _WITHOUT_GRANT:
        return None
    payments = UnmatchedPayment.objects.filter(attempt=attempt)
    return payments.values_list("state", flat=True).first()


def _requests(quote: Quote) -> QuerySet[RefundRequest]:
    """Return the requests by the sponsor, and those by staff that were approved."""
    about = Q(receipt__quote=quote) | Q(unmatched_payment__quote=quote)
    is_told = Q(is_from_sponsor=True) | Q(state=RefundRequest.State.APPROVED)
    requests: QuerySet[RefundRequest] = RefundRequest.objects.filter(about, is_told)
    return requests.select_related("reversal", "receipt", "unmatched_payment").order_by("pk")


def _refunds(quote: Quote) -> list[PaymentReversal]:
    """Return the refunds that Stripe has of a quote's payments, whoever made them."""
    payments = UnmatchedPayment.objects.filter(quote=quote)
    charges = payments.exclude(charge_id="").values("charge_id")
    intents = payments.exclude(payment_intent_id="").values("payment_intent_id")
    of_quote = Q(receipt__quote=quote) | Q(charge_id__in=charges) | Q(payment_intent_id__in=intents)
    refunds = PaymentReversal.objects.filter(of_quote, kind=PaymentReversal.Kind.REFUND)
    return list(refunds.order_by("pk"))  # Stripe's moments are whole seconds


def _of_request(request: RefundRequest) -> RefundState:
    return RefundState(
        reversal_id=request.reversal.public_id if request.reversal else None,
        status=request.status,
        amount_cents=request.amount_cents,
        currency=request.payment.currency,
        failure=request.failure_words,
        requested_at=request.requested_at,
    )


def _of_reversal(refund: PaymentReversal) -> RefundState:
    """Describe a refund that was made at Stripe itself, or that was sent again since it failed."""
    has_failed = refund.stripe_status in _FAILED
    code = (refund.failure_reason or refund.stripe_status) if has_failed else ""
    return RefundState(
        reversal_id=refund.public_id,
        status=RefundStatus.FAILED if has_failed else RefundStatus(refund.stripe_status),
        amount_cents=refund.amount_cents,
        currency=refund.currency,
        failure=refund_failures.describe(code),
        requested_at=refund.stripe_created_at or refund.created_at,
    )
