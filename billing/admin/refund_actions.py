"""Actions on refunds: preview, request, decide, block."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import User
from billing.admin import limit_sentences
from billing.approvals import DecisionRefused
from billing.limits import staff_limits
from billing.models import Receipt, RefundBlock, RefundRequest, UnmatchedPayment
from billing.reversals import refund_blocks, refund_simulation, refunds
from imageskill.lib import amounts
from imageskill.lib.admin.actions import ActionForm, ActionRefused, ActionRequest, StaffAction
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


def _translate_refusals(
    *kinds: type[Exception],
) -> Callable[[Callable[..., str]], Callable[..., str]]:
    def wrap(perform: Callable[..., str]) -> Callable[..., str]:
        def careful(thing: Any, action: ActionRequest) -> str:
            try:
                return perform(thing, action)
            except kinds as refusal:
                raise ActionRefused(str(refusal)) from refusal

        return careful

    return wrap


def _describe_simulation(receipt: Receipt, amount_cents: int | None = None) -> Sequence[str]:
    simulation = refund_simulation.simulate(receipt, amount_cents=amount_cents)
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
        f"Running jobs hold {held}; they are not affected.",
        "It is posted when Stripe confirms it.",
    )


@_translate_refusals(refunds.RefundRefused)
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
    return "The refund was sent to Stripe."


@_translate_refusals(refunds.RefundRefused)
def _refund_unmatched(payment: UnmatchedPayment, action: ActionRequest) -> str:
    made = refunds.request_for_unmatched(payment=payment, reason=action.reason, user=action.user)
    if made.needs_second_person:
        return "Pending approval by a second person."
    return "The refund was sent to Stripe."


def _block(receipt: Receipt, action: ActionRequest) -> str:
    refund_blocks.block(receipt=receipt, user=action.user, reason=action.reason)
    return "Refunds of this receipt are blocked."


def _unblock(receipt: Receipt, action: ActionRequest) -> str:
    refund_blocks.unblock(receipt=receipt, user=action.user, reason=action.reason)
    return "Refunds of this receipt are unblocked."


@_translate_refusals(DecisionRefused, refunds.RefundRefused)
def _approve(request: RefundRequest, action: ActionRequest) -> str:
    decided = refunds.approve(request_id=request.pk, user=action.user, note=action.reason)
    if decided.is_pending:
        return "Your approval is recorded. It is above your limits: a second person has to approve."
    return "Approved and sent to Stripe."


@_translate_refusals(DecisionRefused)
def _reject(request: RefundRequest, action: ActionRequest) -> str:
    refunds.reject(request_id=request.pk, user=action.user, note=action.reason)
    return "Rejected."


def _is_pending(request: RefundRequest) -> bool:
    return bool(request.state == RefundRequest.State.REQUESTED)


def _is_blocked(receipt: Receipt) -> bool:
    return RefundBlock.objects.filter(receipt=receipt).exists()


def _refund_state(receipt: Receipt | None) -> list[int]:
    """Return what another refund, requested or made meanwhile, changes."""
    if receipt is None:
        return []
    refund_requests = RefundRequest.objects.filter(receipt=receipt)
    return [refund_simulation.refundable_cents(receipt), refund_requests.count()]


def _describe_approval(request: RefundRequest) -> Sequence[str]:
    if request.receipt is None:
        amount = amounts.format_amount(request.amount_cents)
        return (f"{amount} goes back to the buyer. No credits move: none were granted.",)
    return _describe_simulation(request.receipt, request.amount_cents)[:4]


def _describe_limits(
    payment: Receipt | UnmatchedPayment, user: User, fields: dict[str, Any]
) -> Sequence[str]:
    amount = fields.get("amount") or (
        payment.amount_cents if isinstance(payment, UnmatchedPayment) else 0
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


def _describe_full_refund(payment: UnmatchedPayment) -> Sequence[str]:
    amount = amounts.format_amount(payment.amount_cents, payment.currency)
    return (
        f"{amount} goes back to the buyer: the full payment.",
        "No credits move: none were granted.",
    )


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
        preview=_describe_full_refund,
        preview_limits=_describe_limits,
        perform=_refund_unmatched,
        is_open=lambda payment: payment.state == UnmatchedPayment.State.OPEN,
        is_sensitive=True,
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
)
