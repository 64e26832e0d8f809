"""Sends approved refunds to Stripe, once each whatever fails in between."""

from contextlib import suppress
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from billing.ledger import debts, posting, reserves
from billing.models import RefundRequest
from billing.reversals import applying, facts, payment_locks, request_outcomes, shares, unmatched
from billing.stripe import gateway
from imageskill.lib import clock
from imageskill.lib.queue import enqueue

log = structlog.get_logger(__name__)

SEND_TASK = "billing.send_refund"
_RETRY_AFTER = timedelta(minutes=2)
_APPROVED = RefundRequest.State.APPROVED


def enqueue_send(refund_request: RefundRequest) -> None:
    """Queue an approved request, in the transaction that approves it."""
    if refund_request.unmatched_payment is not None:
        unmatched.update_state(refund_request.unmatched_payment)
    enqueue(SEND_TASK, request_id=refund_request.pk)


def send(*, request_id: int) -> None:
    """Send an approved request to Stripe, once; what Stripe says then moves the ledger.

    Raises nothing where Stripe can't be reached: the request is sent again later.
    """
    begun = _begin(request_id)
    if begun is None:
        return
    refund_request, is_repeat = begun
    try:
        if not (is_repeat and _is_at_stripe(refund_request)):
            _create(refund_request)
    except gateway.PaymentProviderFailure as failure:
        if failure.is_refusal:
            code = failure.stripe_code or f"HTTP {failure.http_status}"
            _end_refused(request_id, failure=code)
        return
    with suppress(gateway.PaymentProviderFailure):  # a webhook, or the next sending, finds it
        applying.apply(
            facts.read(
                charge_id=refund_request.charge_id,
                payment_intent_id=refund_request.payment_intent_id,
            )
        )


def resend_unsent() -> int:
    """Queue approved requests that no worker finished again; return how many."""
    before = clock.now() - _RETRY_AFTER
    idle = Q(sent_at__isnull=True, decided_at__lt=before) | Q(sent_at__lt=before)
    unsent = RefundRequest.objects.filter(idle, state=_APPROVED, finished_at__isnull=True)
    ids = list(unsent.values_list("pk", flat=True)[:100])
    for request_id in ids:
        enqueue(SEND_TASK, request_id=request_id)
    return len(ids)


def _begin(request_id: int) -> tuple[RefundRequest, bool] | None:
    """Mark a request as sent and reserve its credits; None if another worker is at it.

    The second value says that it was sent before, and the answer was lost.
    """
    now = clock.now()
    with transaction.atomic():
        refund_request = payment_locks.lock_request(request_id)
        sent_at = refund_request.sent_at
        is_due = sent_at is None or sent_at < now - _RETRY_AFTER
        if refund_request.state != _APPROVED or refund_request.finished_at or not is_due:
            return None
        if sent_at is None:
            _reserve(refund_request)
        refund_request.sent_at = now
        refund_request.save(update_fields=["sent_at", "reserved_credits"])
    return refund_request, sent_at is not None


def _reserve(refund_request: RefundRequest) -> None:
    """Hold what the refund will take, as far as it is there."""
    receipt = refund_request.receipt
    if receipt is None:
        return
    wallets = posting.lock(receipt.organization_id)
    refund_request.reserved_credits = reserves.hold(
        wallets,
        reference=request_outcomes.reserve_reference(refund_request),
        receipt_id=receipt.public_id,
        credits=shares.credits_of_refund(
            receipt,
            refund_request.amount_cents,
            in_force_cents=shares.of_receipt(receipt).in_force_cents,
        ),
    )


def _is_at_stripe(refund_request: RefundRequest) -> bool:
    """Return whether an earlier sending arrived: Stripe forgets idempotency keys after a day."""
    refunds = gateway.list_refunds(charge_id=refund_request.charge_id)
    return any(
        refund.metadata.get("refund_request") == refund_request.stripe_key for refund in refunds
    )


def _create(refund_request: RefundRequest) -> None:
    gateway.create_refund(
        charge_id=refund_request.charge_id,
        amount_cents=refund_request.amount_cents,
        idempotency_key=f"refund-{refund_request.stripe_key}",
        references={"refund_request": refund_request.stripe_key},
    )


def _end_refused(request_id: int, *, failure: str) -> None:
    """Store why Stripe refused; return the reserve, which settles debts first."""
    with transaction.atomic():
        refund_request = payment_locks.lock_request(request_id)
        if refund_request.finished_at:
            return
        if refund_request.receipt is not None:
            wallets = posting.lock(refund_request.receipt.organization_id)
            request_outcomes.release_reserve(wallets, refund_request)
            cause = f"{request_outcomes.reserve_reference(refund_request)}:returned"
            debts.settle(wallets, cause=cause, actor="system")
        refund_request.finished_at, refund_request.failure = clock.now(), failure
        refund_request.save(update_fields=["finished_at", "failure"])
        if refund_request.unmatched_payment is not None:
            unmatched.update_state(refund_request.unmatched_payment)
    log.warning("refund_refused_by_stripe", request=request_id, stripe_code=failure)
