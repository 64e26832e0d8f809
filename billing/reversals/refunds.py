"""Refund requests: who may request a refund, and who decides.

The ledger moves when Stripe confirms a refund, through `billing.reversals.applying`.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.models import User
from billing import approvals
from billing.limits import staff_limits
from billing.models import Receipt, RefundRequest, RefundStatus, UnmatchedPayment
from billing.reversals import payment_locks, refund_sending, refund_simulation, shares
from billing.reversals.refund_simulation import RefundSimulation
from imageskill.lib import amounts, clock, ids

_State = RefundRequest.State


class RefundRefused(Exception):
    """This refund can't be requested; the message says why, for staff and sponsors."""


def request(
    *, receipt: Receipt, amount_cents: int, reason_code: str, reason: str, user: User
) -> RefundRequest:
    """Request a refund; above the limits of who requests it a second person has to approve it.

    Raises RefundRefused.
    """
    with transaction.atomic():
        staff_limits.lock(user, receipt)
        _check_refundable(receipt, amount_cents)
        return _create(
            RefundRequest(
                receipt=receipt,
                amount_cents=amount_cents,
                reason_code=reason_code,
                reason=reason,
                requested_by=user,
            ),
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
    with transaction.atomic():
        staff_limits.lock(user, receipt)
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
        )


def request_for_unmatched(
    *, payment: UnmatchedPayment, reason: str, user: User, amount_cents: int | None = None
) -> RefundRequest:
    """Request a refund of an unmatched payment: of all that is left of it, or of a part."""
    with transaction.atomic():
        staff_limits.lock(user, payment)
        payment = payment_locks.lock_unmatched(payment)
        amount_cents = _check_unmatched(payment, amount_cents)
        return _create(
            RefundRequest(
                unmatched_payment=payment,
                amount_cents=amount_cents,
                reason_code=RefundRequest.ReasonCode.DUPLICATE,
                reason=reason,
                requested_by=user,
            ),
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


def retry(*, request_id: int, user: User, reason: str) -> RefundRequest:
    """Send a refund again that Stripe refused, or that failed or was canceled there.

    The approval stands. Raises RefundRefused where it did not fail, or can't be refunded now.
    """
    with transaction.atomic():
        refund_request = payment_locks.lock_request(request_id)
        _check_failed(refund_request)
        before = {
            "failure": refund_request.failure,
            "stripe_refund_id": refund_request.stripe_refund_id,
        }
        _check_still_refundable(refund_request)
        # A new key: with the old one Stripe would repeat its first answer.
        refund_request.stripe_key = ids.random_text(22)
        refund_request.failure, refund_request.refund_status = "", ""
        refund_request.stripe_refund_id, refund_request.reversal = "", None
        refund_request.sent_at = refund_request.finished_at = None
        refund_request.failure_resolved_at = None
        refund_request.save()
        _record(refund_request, "refund.retry", user, reason, before=before)
        refund_sending.enqueue_send(refund_request)
    return refund_request


def resolve_failure(*, request_id: int, user: User, reason: str) -> RefundRequest:
    """Take a failed refund off the list of those that somebody has to deal with."""
    with transaction.atomic():
        refund_request = payment_locks.lock_request(request_id)
        _check_failed(refund_request)
        refund_request.failure_resolved_at = clock.now()
        refund_request.save(update_fields=["failure_resolved_at"])
        _record(refund_request, "refund.resolve_failure", user, reason)
    return refund_request


def _check_failed(refund_request: RefundRequest) -> None:
    if refund_request.status != RefundStatus.FAILED or refund_request.failure_resolved_at:
        raise RefundRefused("This refund has not failed, or somebody has dealt with it.")


def _check_refundable(
    receipt: Receipt, amount_cents: int | None, *, excluding: RefundRequest | None = None
) -> RefundSimulation:
    simulation = refund_simulation.simulate(receipt, amount_cents=amount_cents, excluding=excluding)
    if simulation.refusal:
        raise RefundRefused(simulation.refusal)
    return simulation


def _check_unmatched(
    payment: UnmatchedPayment,
    amount_cents: int | None,
    *,
    excluding: RefundRequest | None = None,
) -> int:
    """Return the cents to refund of a payment that granted nothing; raises RefundRefused."""
    if payment.state in {UnmatchedPayment.State.DISPUTED, UnmatchedPayment.State.LOST}:
        raise RefundRefused("This payment is disputed; the bank decides.")
    if not payment.charge_id:
        raise RefundRefused("No charge is known for this payment yet.")
    left = shares.refundable_of_unmatched(payment, excluding=excluding)
    if not left:
        raise RefundRefused("All of this payment is refunded, or its refund is pending.")
    wanted = left if amount_cents is None else amount_cents
    if not 0 < wanted <= left:
        raise RefundRefused(
            f"Enter an amount from 0.01 to {amounts.format_amount(left, payment.currency)}."
        )
    return wanted


def _check_still_refundable(refund_request: RefundRequest) -> None:
    """Raise RefundRefused where the payment has changed since the request."""
    amount = refund_request.amount_cents
    if refund_request.unmatched_payment is not None:
        _check_unmatched(refund_request.unmatched_payment, amount, excluding=refund_request)
    elif refund_request.receipt is not None:
        simulation = _check_refundable(refund_request.receipt, amount, excluding=refund_request)
        is_unused = simulation.credits <= simulation.unused_credits
        if refund_request.is_from_sponsor and not is_unused:
            raise RefundRefused("Some of these credits have been spent since the request.")


def _create(refund_request: RefundRequest) -> RefundRequest:
    """Store a request under the lock of its payment; send it where nobody has to approve it."""
    now = clock.now()
    refund_request.expires_at = now + timedelta(days=settings.REFUND_REQUEST_DAYS)
    asker = refund_request.requested_by
    if not refund_request.is_from_sponsor and _is_within_limits(refund_request, asker):
        refund_request.needs_second_person = False
        refund_request.state, refund_request.decided_at = _State.APPROVED, now
    refund_request.save(force_insert=True)
    _record(refund_request, "refund.request", refund_request.requested_by, refund_request.reason)
    if refund_request.state == _State.APPROVED:
        refund_sending.enqueue_send(refund_request)
    return refund_request


def _decide(request_id: int, user: User, note: str, *, state: str) -> RefundRequest:
    with transaction.atomic():
        staff_limits.lock(user, RefundRequest.objects.get(pk=request_id).payment)
        refund_request = payment_locks.lock_request(request_id)
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
        if state == _State.APPROVED:
            _check_still_refundable(refund_request)
            if _is_first_approval(refund_request, user):
                _record_first_approval(refund_request, user, note)
                return refund_request
        refund_request.state, refund_request.decided_by, refund_request.decided_at = (
            state,
            user,
            clock.now(),
        )
        refund_request.decision_note = note
        refund_request.save(update_fields=["state", "decided_by", "decided_at", "decision_note"])
        _record(refund_request, f"refund.{state}", user, note)
        if state == _State.APPROVED:
            refund_sending.enqueue_send(refund_request)
    return refund_request


def _is_first_approval(refund_request: RefundRequest, user: User) -> bool:
    """Return whether a sponsor's request needs a second member of staff."""
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
    _record(refund_request, "refund.approve_first", user, note)


def _is_within_limits(refund_request: RefundRequest, user: User) -> bool:
    """Return whether this person may decide it alone, under the locks that the answer rests on."""
    used = staff_limits.refunds(user, refund_request.payment, besides=refund_request)
    return used.cover(refund_request.amount_cents)


def _record(
    refund_request: RefundRequest,
    action: str,
    user: User,
    reason: str,
    *,
    before: dict[str, str] | None = None,
) -> None:
    audit.record(
        user=user,
        action=action,
        subject=_subject(refund_request),
        reason=reason,
        before=before,
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
