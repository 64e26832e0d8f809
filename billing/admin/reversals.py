"""Refunds and disputes in the console: what Stripe reports and what the ledger posted."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin

from billing.models import PaymentReversal
from billing.reversals import applying
from imageskill.lib.admin.actions import ActionRefused, ActionRequest, StaffAction
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.filters import NonEmptyValuesFilter
from imageskill.lib.admin.queryset_filters import QuerySetFilter


def _resolve(reversal: PaymentReversal, action: ActionRequest) -> str:
    try:
        applying.resolve(reversal_id=reversal.pk, user=action.user, reason=action.reason)
    except applying.NotFlagged as refusal:
        raise ActionRefused(str(refusal)) from refusal
    return "Resolved."


_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="resolve",
        label="Resolve",
        permission="accounts.ledger_request",
        preview=lambda reversal: (
            f"It needs review: {reversal.get_problem_display()}.",
            "No credits move. It leaves the queue, and your reason is kept with it.",
            "If another problem is found, it returns to the queue.",
        ),
        perform=_resolve,
        is_open=lambda reversal: reversal.is_flagged,
    ),
)


class StateFilter(admin.ChoicesFieldListFilter):
    """The status; what moved nothing yet is a pending refund or an inquiry, one stored value."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Name the choice of both by both."""
        for choice in super().choices(changelist):
            is_seen = choice["display"] == PaymentReversal.State.SEEN.label
            yield {**choice, "display": "Pending or inquiry"} if is_seen else choice


class FlaggedFilter(QuerySetFilter):
    """What finance has to review."""

    title = "queue"
    parameter_name = "flagged"
    label = "needs review"
    queryset_method = "flagged"


class OpenDisputesFilter(QuerySetFilter):
    """What the bank has not decided; a page of its own sorts it by deadline."""

    title = "disputes"
    parameter_name = "open"
    label = "open"
    queryset_method = "open_disputes"


@admin.register(PaymentReversal)
class PaymentReversalAdmin(ReadOnlyAdmin):
    """One refund or dispute."""

    object_actions = _ACTIONS

    view_permission = "accounts.see_payments"
    empty_text = "Refunds and disputes appear here once Stripe reports them."
    copyable_fields = ("stripe_id", "charge_id")
    export_fields = (
        "public_id",
        "kind",
        "state",
        "reason",
        "receipt__number",
        "organization__public_id",
        "amount_cents",
        "currency",
        "credits",
        "excess_credits",
        "stripe_id",
        "stripe_status",
        "evidence_due_by",
        "charge_id",
        "payment_intent_id",
        "problem",
        "resolved_at",
        "resolution",
        "credit_event_id",
        "created_at",
        "updated_at",
    )
    list_display = (
        "kind",
        "state",
        "amount_cents",
        "credits",
        "reason",
        "problem",
        "receipt",
        "evidence_due_by",
        "created_at",
    )
    badges = {
        "state": {"applied": "warning", "undone": "success", "lost": "danger", "rejected": "danger"}
    }
    labels = {"state": "status", "problem": "issue", "evidence_due_by": "evidence due"}
    list_filter = (
        FlaggedFilter,
        OpenDisputesFilter,
        "kind",
        ("state", StateFilter),
        "problem",
        ("reason", NonEmptyValuesFilter),
    )
    search_fields = ("public_id__exact", "stripe_id__exact", "charge_id__exact")
    search_help_text = "A payment_reversal_ id, or Stripe's re_, du_ or ch_"
    list_select_related = ("receipt",)
    change_form_after_template = "admin/billing/reversal_after.html"
    fields = (
        "public_id",
        "kind",
        "state",
        "amount_cents",
        "credits",
        "excess_credits",
        "problem",
        "resolution",
        "resolved_at",
        "reason",
        "stripe_id",
        "stripe_status",
        "charge_id",
        "receipt",
        "evidence_due_by",
        "created_at",
    )
