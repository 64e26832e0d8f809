"""Refund requests: who may request a refund, and who decides.

The ledger moves when Stripe confirms a refund, through `billing.reversals.applying`.
"""

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import User
from billing import approvals
from billing.models import Receipt, RefundRequest, UnmatchedPayment
from billing.reversals import refund_sending, refund_simulation
from billing.reversals.refund_simulation import RefundSimulation
from imageskill.lib import clock

_State = RefundRequest.State


class RefundRefused(Exception):
    """This refund can't be requested; the message says why, for staff and sponsors."""


def request(
    *, receipt: Receipt, amount_cents: int, reason_code: str, reason: str, user: User
) -> RefundRequest:
    """Request a refund; above the threshold a second person has to approve it.

    Raises RefundRefused.
    """
    simulation = _check_refundable(receipt, amount_cents)
    return _create(
        RefundRequest(
            receipt=receipt,
            amount_cents=amount_cents,
            reason_code=reason_code,
            reason=reason,
            requested_by=user,
            needs_second_person=simulation.needs_second_person,
        ),
        subject=receipt.public_id,
    )


def request_as_sponsor(*, receipt: Receipt, reason: str, user: User) -> RefundRequest:
    """Request, as the sponsor, a refund of a receipt's unused credits within the policy's window.

    It always needs staff's approval. Raises RefundRefused.
    """
    window = timedelta(days=settings.REFUND_WINDOW_DAYS)
    if clock.now() - receipt.issued_at > window:
        raise RefundRefused(
            f"Unused credits can be refunded within {settings.REFUND_WINDOW_DAYS} days."
        )
    simulation = _check_refundable(receipt, None)
    return _create(
        RefundRequest(
            receipt=receipt,
            amount_cents=simulation.amount_cents,
            reason_code=RefundRequest.ReasonCode.UNUSED,
            reason=reason or "unused credits",
            requested_by=user,
            is_from_sponsor=True,
        ),
        subject=receipt.public_id,
    )


def request_for_unmatched(*, payment: UnmatchedPayment, reason: str, user: User) -> RefundRequest:
    """Request a full refund of an unmatched payment."""
    if payment.state not in {UnmatchedPayment.State.OPEN, UnmatchedPayment.State.REFUNDING}:
        raise RefundRefused("This payment is resolved already.")
    if not payment.charge_id:
        raise RefundRefused("No charge is known for this payment yet.")
    return _create(
        RefundRequest(
            unmatched_payment=payment,
            amount_cents=payment.amount_cents,
            reason_code=RefundRequest.ReasonCode.DUPLICATE,
            reason=reason,
            requested_by=user,
            needs_second_person=payment.amount_cents > settings.REFUND_SECOND_PERSON_CENTS,
        ),
        subject=payment.checkout_session_id,
    )


def approve(*, request_id: int, user: User, note: str = "") -> RefundRequest:
    """Approve somebody else's request and have it sent.

    Raises DecisionRefused, or RefundRefused where the payment has changed since the request.
    """
    return _decide(request_id, user, note, state=_State.APPROVED)


def reject(*, request_id: int, user: User, note: str) -> RefundRequest:
    """Reject somebody else's request; raises DecisionRefused."""
    return _decide(request_id, user, note, state=_State.TURNED_DOWN)


def _check_refundable(receipt: Receipt, amount_cents: int | None) -> RefundSimulation:
    simulation = refund_simulation.simulate(receipt, amount_cents=amount_cents)
    if simulation.refusal:
        raise RefundRefused(simulation.refusal)
    return simulation


def _create(refund_request: RefundRequest, *, subject: str) -> RefundRequest:
    now = clock.now()
    refund_request.expires_at = now + timedelta(days=settings.REFUND_REQUEST_DAYS)
    if not refund_request.needs_second_person:
        refund_request.state, refund_request.decided_at = _State.APPROVED, now
    try:
        with transaction.atomic():
            refund_request.save(force_insert=True)
            _record(
                refund_request,
                "refund.request",
                refund_request.requested_by,
                refund_request.reason,
                subject,
            )
            if refund_request.state == _State.APPROVED:
                refund_sending.enqueue_send(refund_request)
    except IntegrityError as error:
        if "refund_request_one_open" not in str(error):
            raise
        raise RefundRefused("A refund of this payment is already pending.") from None
    return refund_request


def _decide(request_id: int, user: User, note: str, *, state: str) -> RefundRequest:
    with transaction.atomic():
        refund_request: RefundRequest = RefundRequest.objects.select_for_update(of=("self",)).get(
            pk=request_id
        )
        approvals.check_can_decide(
            refund_request,
            user=user,
            is_allowed=approvals.can_approve(
                user,
                cents=refund_request.amount_cents,
                limit_cents=settings.REFUND_LIMITED_APPROVAL_CENTS,
            ),
            now=clock.now(),
        )
        if state == _State.APPROVED and refund_request.receipt is not None:
            simulation = _check_refundable(refund_request.receipt, refund_request.amount_cents)
            if (
                refund_request.is_from_sponsor
                and refund_request.amount_cents > simulation.unused_credits
            ):
                raise RefundRefused("Some of these credits have been spent since the request.")
        refund_request.state, refund_request.decided_by, refund_request.decided_at = (
            state,
            user,
            clock.now(),
        )
        refund_request.decision_note = note
        refund_request.save(update_fields=["state", "decided_by", "decided_at", "decision_note"])
        _record(refund_request, f"refund.{state}", user, note, _subject(refund_request))
        if state == _State.APPROVED:
            refund_sending.enqueue_send(refund_request)
    return refund_request


def _record(
    refund_request: RefundRequest, action: str, user: User, reason: str, subject: str
) -> None:
    audit.record(
        user=user,
        action=action,
        subject=subject,
        reason=reason,
        after={
            "request": refund_request.pk,
            "amount_cents": refund_request.amount_cents,
            "reason_code": refund_request.reason_code,
            "state": refund_request.state,
        },
    )


def _subject(refund_request: RefundRequest) -> str:
    if refund_request.receipt is not None:
        return str(refund_request.receipt.public_id)
    assert refund_request.unmatched_payment is not None
    return str(refund_request.unmatched_payment.checkout_session_id)
