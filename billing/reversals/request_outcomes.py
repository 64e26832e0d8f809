"""What became of refund requests at Stripe: their refund, its status, and their reserve."""

from collections.abc import Mapping, Sequence

from django.db.models import Q

from billing.ledger import posting, reserves
from billing.models import PaymentReversal, RefundRequest
from billing.reversals import in_force
from imageskill.lib import clock

_ENDED = in_force.REFUND_FAILED | {"succeeded"}


def link(
    reversals: Sequence[PaymentReversal], *, metadata: Mapping[str, str]
) -> list[RefundRequest]:
    """Write the status of each refund into its request; return those that ended with a reserve.

    `metadata` has our id of the request by Stripe's id of the refund: it finds the request whose
    answer was lost. The caller holds the lock of the payment.
    """
    refunds = {row.stripe_id: row for row in reversals if row.kind == PaymentReversal.Kind.REFUND}
    by_key = {
        metadata[stripe_id]: refunds[stripe_id] for stripe_id in metadata if stripe_id in refunds
    }
    about = Q(reversal__in=list(refunds.values())) | Q(stripe_key__in=by_key)
    ended = []
    for request in RefundRequest.objects.filter(about).order_by("id") if refunds else []:
        reversal = by_key.get(request.stripe_key) or refunds[request.reversal.stripe_id]
        _write(request, reversal)
        if request.reserved_credits and reversal.stripe_status in _ENDED:
            ended.append(request)
    return ended


def release_reserve(wallets: posting.Wallets, request: RefundRequest) -> None:
    """Return a request's reserve to its lots; the caller debits and settles."""
    if request.reserved_credits:
        reserves.give_back(
            wallets, reference=reserve_reference(request), credits=request.reserved_credits
        )
        request.reserved_credits = 0
        request.save(update_fields=["reserved_credits"])


def reserve_reference(request: RefundRequest) -> str:
    """Return the reference of a reserve: each sending of a request has one of its own."""
    return f"refund_request:{request.stripe_key}"


def _write(request: RefundRequest, reversal: PaymentReversal) -> None:
    status = reversal.stripe_status
    request.reversal, request.stripe_refund_id = reversal, reversal.stripe_id
    request.refund_status = status
    request.failure = ""
    if status in in_force.REFUND_FAILED:
        request.failure = reversal.failure_reason or status
    request.finished_at = request.finished_at or clock.now()
    request.save(
        update_fields=[
            "reversal",
            "stripe_refund_id",
            "refund_status",
            "failure",
            "finished_at",
        ]
    )
