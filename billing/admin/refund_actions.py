"""What staff do about refunds: look first, ask, decide."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from billing.approvals import NotDecidable
from billing.models import Receipt, RefundBlock, RefundRequest, UnmatchedPayment
from billing.reversals import refund_blocks, refund_simulation, refunds
from imageskill.lib import amounts
from imageskill.lib.admin.actions import Asked, Deed, ReasonForm, Refused
from imageskill.lib.admin.amount_field import AmountField


class RefundForm(ReasonForm):
    """How much goes back, and why."""

    amount = AmountField(
        label="Amount in USD",
        help_text="Like 12.50. The unused part stands here; change it and look again.",
    )
    reason_code = forms.ChoiceField(
        choices=RefundRequest.ReasonCode.choices, widget=UnfoldAdminSelectWidget
    )


def _refused_as(*kinds: type[Exception]) -> Callable[[Callable[..., str]], Callable[..., str]]:
    def wrap(perform: Callable[..., str]) -> Callable[..., str]:
        def careful(thing: Any, asked: Asked) -> str:
            try:
                return perform(thing, asked)
            except kinds as refusal:
                raise Refused(str(refusal)) from refusal

        return careful

    return wrap


def _simulated(receipt: Receipt, amount_cents: int | None = None) -> Sequence[str]:
    found = refund_simulation.of(receipt, amount_cents=amount_cents)
    if found.refusal:
        return (found.refusal,)
    amount, rest = (amounts.written(n) for n in (found.amount_cents, found.refundable_cents))
    return (
        f"{amount} go back to the buyer, of {rest} that can still be refunded.",
        f"{found.unused_credits} of the receipt's {receipt.credits} credits are unused.",
        f"{found.debited_credits} credits are taken; {found.owed_after} are owed afterwards.",
        f"Running jobs hold {found.held_credits} credits; they end as they would have.",
        "A second person has to approve it."
        if found.needs_second_person
        else "It goes to Stripe at once; the ledger moves when Stripe confirms.",
    )


@_refused_as(refunds.RefundRefused)
def _request(receipt: Receipt, asked: Asked) -> str:
    made = refunds.request(
        receipt=receipt,
        amount_cents=asked.fields["amount"],
        reason_code=asked.fields["reason_code"],
        reason=asked.reason,
        user=asked.user,
    )
    if made.needs_second_person:
        return "The refund waits for a second person."
    return "The refund is on its way to Stripe."


@_refused_as(refunds.RefundRefused)
def _return(payment: UnmatchedPayment, asked: Asked) -> str:
    refunds.return_unmatched(payment=payment, reason=asked.reason, user=asked.user)
    return "Giving it back is asked for."


def _block(receipt: Receipt, asked: Asked) -> str:
    refund_blocks.block(receipt=receipt, user=asked.user, reason=asked.reason)
    return "The receipt is blocked from refunds."


def _unblock(receipt: Receipt, asked: Asked) -> str:
    refund_blocks.unblock(receipt=receipt, user=asked.user, reason=asked.reason)
    return "The receipt may be refunded again."


@_refused_as(NotDecidable, refunds.RefundRefused)
def _approve(request: RefundRequest, asked: Asked) -> str:
    refunds.approve(request_id=request.pk, user=asked.user, note=asked.reason)
    return "Approved; it is on its way to Stripe."


@_refused_as(NotDecidable)
def _turn_down(request: RefundRequest, asked: Asked) -> str:
    refunds.turn_down(request_id=request.pk, user=asked.user, note=asked.reason)
    return "Turned down."


def _is_waiting(request: RefundRequest) -> bool:
    return bool(request.state == RefundRequest.State.REQUESTED)


def _is_blocked(receipt: Receipt) -> bool:
    return RefundBlock.objects.filter(receipt=receipt).exists()


def _rest(receipt: Receipt | None) -> list[int]:
    """Give what another refund, asked for or made meanwhile, changes."""
    if receipt is None:
        return []
    asked = RefundRequest.objects.filter(receipt=receipt)
    return [refund_simulation.refundable_cents(receipt), asked.count()]


def _approval_means(request: RefundRequest) -> Sequence[str]:
    if request.receipt is None:
        return (f"{amounts.written(request.amount_cents)} go back; they bought nothing.",)
    return _simulated(request.receipt, request.amount_cents)[:4]


def _whole(payment: UnmatchedPayment) -> Sequence[str]:
    amount = amounts.written(payment.amount_cents, payment.currency)
    return (f"{amount} go back to the buyer, whole.", "No credits move: none were granted.")


_APPROVE = ("accounts.refund_approve", "accounts.refund_approve_limited")

RECEIPT: Sequence[Deed] = (
    Deed(
        name="refund",
        label="Refund",
        permission="accounts.refund_request",
        preview=_simulated,
        preview_with=lambda receipt, fields: _simulated(receipt, fields["amount"]),
        perform=_request,
        form=RefundForm,
        form_for=lambda receipt: {"amount": refund_simulation.of(receipt).amount_cents or None},
        is_open=lambda receipt: bool(receipt.charge_id) and not _is_blocked(receipt),
        standing_of=_rest,
        is_sensitive=True,
        is_destructive=True,
    ),
    Deed(
        name="block",
        label="Block refunds",
        permission="accounts.refund_approve",
        preview=lambda _: ("No refund of this receipt can be asked for until it is unblocked.",),
        perform=_block,
        is_open=lambda receipt: not _is_blocked(receipt),
    ),
    Deed(
        name="unblock",
        label="Unblock refunds",
        permission="accounts.refund_approve",
        preview=lambda _: ("Refunds of this receipt can be asked for again.",),
        perform=_unblock,
        is_open=_is_blocked,
    ),
)
UNMATCHED: Sequence[Deed] = (
    Deed(
        name="return",
        label="Give back",
        permission="accounts.refund_request",
        preview=_whole,
        perform=_return,
        is_open=lambda payment: payment.state == UnmatchedPayment.State.OPEN,
        is_sensitive=True,
    ),
)
REQUEST: Sequence[Deed] = (
    Deed(
        name="approve",
        label="Approve",
        permission=_APPROVE,
        preview=_approval_means,
        standing_of=lambda request: _rest(request.receipt),
        perform=_approve,
        is_open=_is_waiting,
        is_sensitive=True,
    ),
    Deed(
        name="turn-down",
        label="Turn down",
        permission=_APPROVE,
        preview=lambda request: (f"{request.requested_by} is not given what was asked for.",),
        perform=_turn_down,
        is_open=_is_waiting,
    ),
)
