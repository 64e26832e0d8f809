"""Locks of payments: every change of one begins with its row, then come requests and reversals."""

from billing.models import Receipt, RefundRequest, UnmatchedPayment


def lock_receipt(receipt: Receipt) -> Receipt:
    """Lock a receipt until the commit, so that its refunds and disputes can't change."""
    locked: Receipt = Receipt.objects.select_for_update(no_key=True).get(pk=receipt.pk)
    return locked


def lock_unmatched(payment: UnmatchedPayment) -> UnmatchedPayment:
    """Lock an unmatched payment until the commit; return it as it is now."""
    return UnmatchedPayment.objects.select_for_update(no_key=True).get(pk=payment.pk)


def lock_request(request_id: int) -> RefundRequest:
    """Lock the payment of a refund request, then the request; return it as it is now."""
    known = RefundRequest.objects.select_related("receipt", "unmatched_payment").get(pk=request_id)
    receipt = lock_receipt(known.receipt) if known.receipt else None
    payment = lock_unmatched(known.unmatched_payment) if known.unmatched_payment else None
    refund_request: RefundRequest = RefundRequest.objects.select_for_update(of=("self",)).get(
        pk=request_id
    )
    refund_request.receipt, refund_request.unmatched_payment = receipt, payment
    return refund_request
