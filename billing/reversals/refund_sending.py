"""Sends approved refunds to Stripe, once each whatever fails in between."""

from datetime import timedelta

import structlog
from django.db import transaction

from billing.models import PaymentReversal, RefundRequest, UnmatchedPayment
from billing.reversals import applying
from billing.stripe import gateway
from imageskill.lib import clock
from imageskill.lib.queue import enqueue

log = structlog.get_logger(__name__)

SEND_TASK = "billing.send_refund"
_RETRY_AFTER = timedelta(minutes=2)
_APPROVED = RefundRequest.State.APPROVED


def enqueue_send(refund_request: RefundRequest) -> None:
    """Queue an approved request, in the transaction that approves it."""
    if refund_request.unmatched_payment_id is not None:
        UnmatchedPayment.objects.filter(pk=refund_request.unmatched_payment_id).update(
            state=UnmatchedPayment.State.REFUNDING
        )
    enqueue(SEND_TASK, request_id=refund_request.pk)


def send(*, request_id: int) -> None:
    """Send an approved request to Stripe, once; its answer moves the ledger."""
    now = clock.now()
    unsent = RefundRequest.objects.filter(pk=request_id, state=_APPROVED, finished_at__isnull=True)
    idle = unsent.filter(sent_at__isnull=True) | unsent.filter(sent_at__lt=now - _RETRY_AFTER)
    if not idle.update(sent_at=now):
        return
    refund_request = RefundRequest.objects.select_related("receipt", "unmatched_payment").get(
        pk=request_id
    )
    try:
        refund = gateway.create_refund(
            charge_id=refund_request.charge_id,
            amount_cents=refund_request.amount_cents,
            idempotency_key=f"refund-{refund_request.stripe_key}",
            references={"refund_request": refund_request.stripe_key},
        )
    except gateway.PaymentProviderFailure as failure:
        if failure.is_refusal:
            _finish(refund_request, failure=failure.stripe_code or f"HTTP {failure.http_status}")
        return
    with transaction.atomic():
        reversal = applying.apply_refund(refund)
        _finish(refund_request, stripe_refund_id=refund.id, reversal=reversal)


def resend_unsent() -> int:
    """Queue approved requests that no worker finished again; return how many."""
    before = clock.now() - _RETRY_AFTER
    unsent = RefundRequest.objects.filter(state=_APPROVED, finished_at__isnull=True)
    idle = unsent.filter(sent_at__isnull=True, decided_at__lt=before) | unsent.filter(
        sent_at__lt=before
    )
    ids = list(idle.values_list("pk", flat=True)[:100])
    for request_id in ids:
        enqueue(SEND_TASK, request_id=request_id)
    return len(ids)


def _finish(
    refund_request: RefundRequest,
    *,
    failure: str = "",
    stripe_refund_id: str = "",
    reversal: PaymentReversal | None = None,
) -> None:
    RefundRequest.objects.filter(pk=refund_request.pk).update(
        finished_at=clock.now(),
        failure=failure,
        stripe_refund_id=stripe_refund_id,
        reversal=reversal,
    )
    if failure:
        log.warning("refund_refused_by_stripe", request=refund_request.pk, stripe_code=failure)
    if failure and refund_request.unmatched_payment_id is not None:
        UnmatchedPayment.objects.filter(pk=refund_request.unmatched_payment_id).update(
            state=UnmatchedPayment.State.OPEN
        )
