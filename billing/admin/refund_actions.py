"""Actions on refunds: preview, request, decide, block."""

from collections.abc import Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import User
from billing.admin import limit_sentences
from billing.approvals import DecisionRefused
from billing.limits import staff_limits
from billing.models import (
    Receipt,
    RefundBlock,
    RefundRequest,
    RefundStatus,
    UnmatchedPayment,
)
from billing.reversals import (
    refund_blocks,
    refund_simulation,
    refunds,
    shares,
)
from imageskill.lib import amounts
from imageskill.lib.admin.actions import ActionForm, ActionRequest, StaffAction, translate_refusals
from imageskill.lib.admin.amount_field import AmountField
from imageskill.lib.admin.formatting import format_count


class RefundForm(ActionForm):
    """How much is refunded, and why."""

    amount = AmountField(
        label="Amount in USD",
        help_text="An amount such as 12.50. Preview again after a change.",
    )
    reason_code = forms.ChoiceField(
        choices=RefundRequest.ReasonCode.choices, widget=UnfoldAdminSelectWidget
    )


class UnmatchedRefundForm(ActionForm):
    """How much of a payment that granted nothing is refunded."""

    amount = AmountField(
        label="Amount",
        required=False,
        help_text="An amount such as 12.50, or empty for all that is left.",
    )


_INQUIRY_NOTE = ("The buyer's bank asks about this payment; a refund usually closes its inquiry.",)


def _describe_simulation(
    receipt: Receipt, amount_cents: int | None = None, *, excluding: RefundRequest | None = None
) -> Sequence[str]:
    simulation = refund_simulation.simulate(receipt, amount_cents=amount_cents, excluding=excluding)
    if simulation.refusal:
        return (simulation.refusal,)
    amount, rest = (
        amounts.format_amount(n) for n in (simulation.amount_cents, simulation.refundable_cents)
    )
    debited, held = (
        format_count(n, "credit") for n in (simulation.debited_credits, simulation.held_credits)
    )
    return (
        f"{amount} of {rest} refundable goes back to the buyer.",
        f"{simulation.unused_credits:,} of {format_count(receipt.credits, 'credit')} unused.",
        f"{debited} debited, {simulation.owed_after:,} owed afterwards.",
        f"Running jobs and other refunds hold {held}; they are not affected.",
        *_INQUIRY_NOTE[: int(simulation.has_inquiry)],
        "It is posted when Stripe confirms it.",
    )


@translate_refusals(refunds.RefundRefused)
def _request(receipt: Receipt, action: ActionRequest) -> str:
    made = refunds.request(
        receipt=receipt,
        amount_cents=action.fields["amount"],
        reason_code=action.fields["reason_code"],
        reason=action.reason,
        user=action.user,
    )
    if made.needs_second_person:
        return "Pending approval by a second person."
    return "The refund is being sent to Stripe."


@translate_refusals(refunds.RefundRefused)
def _refund_unmatched(payment: UnmatchedPayment, action: ActionRequest) -> str:
    made = refunds.request_for_unmatched(
        payment=payment,
        amount_cents=action.fields["amount"],
        reason=action.reason,
        user=action.user,
    )
    if made.needs_second_person:
        return "Pending approval by a second person."
    return "The refund is being sent to Stripe."


def _block(receipt: Receipt, action: ActionRequest) -> str:
    refund_blocks.block(receipt=receipt, user=action.user, reason=action.reason)
    return "Refunds of this receipt are blocked."


def _unblock(receipt: Receipt, action: ActionRequest) -> str:
    refund_blocks.unblock(receipt=receipt, user=action.user, reason=action.reason)
    return "Refunds of this receipt are unblocked."


@translate_refusals(DecisionRefused, refunds.RefundRefused)
def _approve(request: RefundRequest, action: ActionRequest) -> str:
    decided = refunds.approve(request_id=request.pk, user=action.user, note=action.reason)
    if decided.is_pending:
        return "Your approval is recorded. It is above your limits: a second person has to approve."
    return "Approved. It is being sent to Stripe."


@translate_refusals(DecisionRefused)
def _reject(request: RefundRequest, action: ActionRequest) -> str:
    refunds.reject(request_id=request.pk, user=action.user, note=action.reason)
    return "Rejected."


@translate_refusals(refunds.RefundRefused)
def _retry(request: RefundRequest, action: ActionRequest) -> str:
    refunds.retry(request_id=request.pk, user=action.user, reason=action.reason)
    return "The refund is being sent to Stripe again."


@translate_refusals(refunds.RefundRefused)
def _resolve_failure(request: RefundRequest, action: ActionRequest) -> str:
    refunds.resolve_failure(request_id=request.pk, user=action.user, reason=action.reason)
    return "Resolved."


def _is_failed(request: RefundRequest) -> bool:
    return request.status == RefundStatus.FAILED and request.failure_resolved_at is None


def _describe_failure(request: RefundRequest) -> Sequence[str]:
    amount = amounts.format_amount(request.amount_cents)
    return (f"The refund of {amount} failed: {request.failure_words}.",)


def _is_pending(request: RefundRequest) -> bool:
    return bool(request.state == RefundRequest.State.REQUESTED)


def _is_blocked(receipt: Receipt) -> bool:
    return RefundBlock.objects.filter(receipt=receipt).exists()


def _refund_state(receipt: Receipt | None) -> list[int]:
    """Return what another refund, requested or made meanwhile, changes."""
    if receipt is None:
        return []
    refund_requests = RefundRequest.objects.filter(receipt=receipt)
    return [shares.refundable_cents(receipt), refund_requests.count()]


def _describe_approval(request: RefundRequest) -> Sequence[str]:
    if request.receipt is None:
        amount = amounts.format_amount(request.amount_cents)
        return (f"{amount} goes back to the buyer. No credits move: none were granted.",)
    return _describe_simulation(request.receipt, request.amount_cents, excluding=request)[:4]


def _describe_limits(
    payment: Receipt | UnmatchedPayment, user: User, fields: dict[str, Any]
) -> Sequence[str]:
    amount = fields.get("amount") or (
        shares.refundable_of_unmatched(payment) if isinstance(payment, UnmatchedPayment) else 0
    )
    return limit_sentences.of_refund(staff_limits.refunds(user, payment), amount)


def _describe_approval_limits(
    request: RefundRequest, user: User, _: dict[str, Any]
) -> Sequence[str]:
    if not request.is_from_sponsor or not _is_pending(request):
        return ()
    if request.first_approved_by is not None:
        return (f"{request.first_approved_by} approved it already; yours is the second approval.",)
    used = staff_limits.refunds(user, request.payment, besides=request)
    return limit_sentences.of_refund(used, request.amount_cents)


def _may_decide(request: RefundRequest, user: User) -> bool:
    return user.pk not in {request.requested_by_id, request.first_approved_by_id}


def _describe_unmatched_refund(
    payment: UnmatchedPayment, amount_cents: int | None = None
) -> Sequence[str]:
    left = shares.refundable_of_unmatched(payment)
    cents = left if amount_cents is None else amount_cents
    amount, rest = (amounts.format_amount(one, payment.currency) for one in (cents, left))
    is_full = cents == payment.amount_cents
    return (
        f"{amount} goes back to the buyer: the full payment."
        if is_full
        else f"{amount} of {rest} refundable goes back to the buyer.",
        "No credits move: none were granted.",
    )


def _can_refund_unmatched(payment: UnmatchedPayment) -> bool:
    states = UnmatchedPayment.State
    is_open = payment.state in {states.OPEN, states.PARTLY_REFUNDED}
    return is_open and shares.refundable_of_unmatched(payment) > 0


_APPROVE_PERMISSIONS = ("accounts.refund_approve", "accounts.refund_approve_limited")

RECEIPT_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="refund",
        label="Refund",
        permission="accounts.refund_request",
        preview=_describe_simulation,
        preview_fields=lambda receipt, fields: _describe_simulation(receipt, fields["amount"]),
        perform=_request,
        form=RefundForm,
        initial_values=lambda receipt: {
            "amount": refund_simulation.simulate(receipt).amount_cents or None
        },
        is_open=lambda receipt: bool(receipt.charge_id) and not _is_blocked(receipt),
        preview_limits=_describe_limits,
        extra_state=_refund_state,
        is_sensitive=True,
        is_destructive=True,
    ),
    StaffAction(
        name="block",
        label="Block refunds",
        permission="accounts.refund_approve",
        preview=lambda _: ("No refund of this receipt can be requested until it is unblocked.",),
        perform=_block,
        is_open=lambda receipt: not _is_blocked(receipt),
    ),
    StaffAction(
        name="unblock",
        label="Unblock refunds",
        permission="accounts.refund_approve",
        preview=lambda _: ("Refunds of this receipt can be requested again.",),
        perform=_unblock,
        is_open=_is_blocked,
    ),
)
UNMATCHED_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="return",
        label="Refund payment",
        permission="accounts.refund_request",
        preview=_describe_unmatched_refund,
        preview_fields=lambda payment, fields: _describe_unmatched_refund(
            payment, fields["amount"]
        ),
        preview_limits=_describe_limits,
        perform=_refund_unmatched,
        form=UnmatchedRefundForm,
        initial_values=lambda payment: {"amount": shares.refundable_of_unmatched(payment) or None},
        is_open=_can_refund_unmatched,
        extra_state=lambda payment: [shares.refundable_of_unmatched(payment)],
        is_sensitive=True,
        is_destructive=True,
    ),
)
REQUEST_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="approve",
        label="Approve",
        permission=_APPROVE_PERMISSIONS,
        preview=_describe_approval,
        preview_limits=_describe_approval_limits,
        is_for=_may_decide,
        extra_state=lambda request: _refund_state(request.receipt),
        perform=_approve,
        is_open=_is_pending,
        is_sensitive=True,
    ),
    StaffAction(
        name="turn-down",
        label="Reject",
        permission=_APPROVE_PERMISSIONS,
        preview=lambda request: ("No money is refunded.",),
        perform=_reject,
        is_open=_is_pending,
    ),
    StaffAction(
        name="retry",
        label="Retry",
        permission="accounts.refund_request",
        preview=lambda request: (
            *_describe_failure(request),
            "It is sent to Stripe again. The approval stands.",
        ),
        perform=_retry,
        is_open=_is_failed,
        is_sensitive=True,
    ),
    StaffAction(
        name="resolve-failure",
        label="Resolve",
        permission="accounts.refund_request",
        preview=lambda request: (
            *_describe_failure(request),
            "No money is refunded. It leaves the list of failed refunds.",
        ),
        perform=_resolve_failure,
        is_open=_is_failed,
    ),
)
