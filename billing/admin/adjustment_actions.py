"""Actions on credits: goodwill grants, adjustments, write-offs."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from accounts.models import Agent, User
from billing import ledger
from billing.admin import limit_sentences
from billing.approvals import DecisionRefused
from billing.ledger import corrections
from billing.limits import staff_limits
from billing.models import CreditCorrection
from imageskill.lib.admin.actions import (
    ActionForm,
    ActionRefused,
    ActionRequest,
    StaffAction,
    translate_refusals,
)
from imageskill.lib.admin.formatting import format_count

_Kind = CreditCorrection.Kind
_ADJUSTMENTS = [(kind.value, kind.label) for kind in (_Kind.ADJUST_PREVIEW, _Kind.ADJUST_PAID)]


class GoodwillForm(ActionForm):
    """How many free credits."""

    credits = forms.IntegerField(
        min_value=1, max_value=100_000, widget=UnfoldAdminIntegerFieldWidget
    )


class AdjustForm(ActionForm):
    """Which credits, by how many, up or down."""

    kind = forms.ChoiceField(choices=_ADJUSTMENTS, widget=UnfoldAdminSelectWidget)
    credits = forms.IntegerField(
        widget=UnfoldAdminIntegerFieldWidget, help_text="Negative to remove credits."
    )

    def clean_credits(self) -> int:
        """Refuse an adjustment of nothing."""
        credits: int = self.cleaned_data["credits"]
        if not credits:
            raise forms.ValidationError("Enter a number other than 0.")
        return credits


class WriteOffForm(ActionForm):
    """How much of the debt."""

    credits = forms.IntegerField(min_value=1, widget=UnfoldAdminIntegerFieldWidget)


def _request(kind: str | None) -> Callable[[Agent, ActionRequest], str]:
    def perform(agent: Agent, action: ActionRequest) -> str:
        try:
            made = corrections.request(
                organization_id=agent.organization_id,
                kind=kind or action.fields["kind"],
                credits=action.fields["credits"],
                reason=action.reason,
                user=action.user,
            )
        except corrections.CorrectionRefused as refusal:
            raise ActionRefused(str(refusal)) from refusal
        if made.needs_second_person:
            return "Pending approval by a second person."
        return f"{format_count(made.applied_credits or 0, 'credit')} granted."

    return perform


def _describe_balances(whose: Agent | CreditCorrection) -> str:
    now = ledger.balances(whose.organization_id)
    return f"Now: {now.preview:,} preview, {now.paid:,} paid, {now.held:,} held, {now.owed:,} owed."


def _describe_limits(agent: Agent, user: User, fields: dict[str, Any]) -> Sequence[str]:
    used = staff_limits.goodwill(user, agent.organization_id)
    return limit_sentences.of_goodwill(used, fields.get("credits") or 0)


def _decide(function: Callable[..., CreditCorrection], done: str) -> Callable[..., str]:
    @translate_refusals(DecisionRefused, corrections.CorrectionRefused)
    def perform(request: CreditCorrection, action: ActionRequest) -> str:
        function(request_id=request.pk, user=action.user, note=action.reason)
        return done

    return perform


AGENT_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="goodwill",
        label="Grant credits",
        permission="accounts.credits_grant",
        preview=lambda agent: (
            _describe_balances(agent),
            "Granted credits are free: they are spent first and never refunded.",
        ),
        preview_limits=_describe_limits,
        perform=_request(_Kind.GOODWILL),
        form=GoodwillForm,
        is_open=lambda agent: not agent.is_revoked,
        is_sensitive=True,
    ),
    StaffAction(
        name="adjust",
        label="Adjust credits",
        permission="accounts.ledger_request",
        preview=lambda agent: (_describe_balances(agent), "A second person has to approve it."),
        perform=_request(None),
        form=AdjustForm,
        is_sensitive=True,
    ),
    StaffAction(
        name="write-off",
        label="Write off debt",
        permission="accounts.ledger_request",
        preview=lambda agent: (
            _describe_balances(agent),
            "The debt becomes our loss. A second person has to approve it.",
        ),
        perform=_request(_Kind.WRITE_OFF),
        form=WriteOffForm,
        is_open=lambda agent: ledger.balances(agent.organization_id).owed > 0,
        is_sensitive=True,
    ),
)


_APPROVE_PERMISSIONS = (
    "accounts.ledger_approve",
    "accounts.refund_approve",
    "accounts.refund_approve_limited",
)

REQUEST_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="approve",
        label="Approve",
        permission=_APPROVE_PERMISSIONS,
        preview=lambda request: (
            f"{request.get_kind_display()}: {format_count(request.credits, 'credit')}.",
            f"Requested by {request.requested_by}: {request.reason}",
            _describe_balances(request),
            "It is posted to the ledger at once.",
        ),
        perform=_decide(corrections.approve, "Approved and posted."),
        is_for=lambda request, user: request.requested_by_id != user.pk,
        is_open=lambda request: request.state == request.State.REQUESTED,
        is_sensitive=True,
    ),
    StaffAction(
        name="turn-down",
        label="Reject",
        permission=_APPROVE_PERMISSIONS,
        preview=lambda _: ("No credits move.",),
        perform=_decide(corrections.reject, "Rejected."),
        is_for=lambda request, user: request.requested_by_id != user.pk,
        is_open=lambda request: request.state == request.State.REQUESTED,
    ),
)
