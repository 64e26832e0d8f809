"""Refund requests: who may request a refund, and who decides.

The ledger moves when Stripe confirms a refund, through `billing.reversals.applying`.
"""

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import User
from billing import approvals
from billing.limits import staff_limits
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
    """Request a refund; above the limits of who requests it a second person has to approve it.

    Raises RefundRefused.
    """
    _check_refundable(receipt, amount_cents)
    return _create(
        RefundRequest(
            receipt=receipt,
            amount_cents=amount_cents,
            reason_code=reason_code,
            reason=reason,
            requested_by=user,
        ),
        subject=receipt.public_id,
    )


def request_as_sponsor(*, receipt: Receipt, reason: str, user: User) -> RefundRequest:
    """Request, as the sponsor, a refund of a receipt's unused credits within the policy's window.

    Staff have to approve it, above their limits two of them. Raises RefundRefused.
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
        ),
        subject=payment.checkout_session_id,
    )


def approve(*, request_id: int, user: User, note: str = "") -> RefundRequest:
    """Approve somebody else's request and have it sent.

    A sponsor's request above the limits of this person stays pending until another one approves.
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
    try:
        with transaction.atomic():
            if not refund_request.is_from_sponsor and _is_within_limits(
                refund_request, refund_request.requested_by
            ):
                refund_request.needs_second_person = False
                refund_request.state, refund_request.decided_at = _State.APPROVED, now
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
        refund_request = _lock(request_id, user)
        approvals.check_can_decide(
            refund_request,
            user=user,
            is_allowed=approvals.can_approve(
                user,
                cents=staff_limits.refunded_cents(refund_request.payment),
                limit_cents=staff_limits.limit_of(user, "REFUND_LIMITED_APPROVAL_CENTS"),
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
        if state == _State.APPROVED and _is_first_approval(refund_request, user):
            _record_first_approval(refund_request, user, note)
            return refund_request
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


def _lock(request_id: int, user: User) -> RefundRequest:
    """Lock a request after its payment, as whatever else moves both does."""
    staff_limits.lock(user, RefundRequest.objects.get(pk=request_id).payment)
    locked: RefundRequest = RefundRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    return locked


def _is_first_approval(refund_request: RefundRequest, user: User) -> bool:
    """Return whether a sponsor's request needs somebody else beside this member of staff."""
    if not refund_request.is_from_sponsor:
        return False
    if refund_request.first_approved_by_id == user.pk:
        raise approvals.DecisionRefused(
            "You approved this already; it is above your limits, so a second person has to approve."
        )
    return refund_request.first_approved_by_id is None and not _is_within_limits(
        refund_request, user
    )


def _record_first_approval(refund_request: RefundRequest, user: User, note: str) -> None:
    refund_request.first_approved_by, refund_request.first_approved_at = user, clock.now()
    refund_request.save(update_fields=["first_approved_by", "first_approved_at"])
    _record(refund_request, "refund.approve_first", user, note, _subject(refund_request))


def _is_within_limits(refund_request: RefundRequest, user: User) -> bool:
    """Return whether this person may decide it alone; locks what the answer rests on."""
    payment = refund_request.payment
    staff_limits.lock(user, payment)
    return staff_limits.refunds(user, payment, besides=refund_request).cover(
        refund_request.amount_cents
    )


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
