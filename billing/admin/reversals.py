"""Refunds and disputes in the console, as Stripe tells of them and as the ledger took them."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin import reversal_actions
from billing.models import PaymentReversal
from imageskill.lib import amounts
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.filters import NonEmptyValuesFilter
from imageskill.lib.admin.formatting import copyable, display_datetime, object_link
from imageskill.lib.admin.queryset_filters import QuerySetFilter


class FlaggedFilter(QuerySetFilter):
    """What finance has to look at."""

    title = "queue"
    parameter_name = "flagged"
    label = "waits for finance"
    queryset_method = "flagged"


class OpenDisputesFilter(QuerySetFilter):
    """What the bank has not decided; by deadline it stands on a page of its own."""

    title = "disputes"
    parameter_name = "open"
    label = "still to be decided"
    queryset_method = "open_disputes"


@admin.register(PaymentReversal)
class PaymentReversalAdmin(ReadOnlyAdmin):
    """One refund or dispute."""

    object_actions = reversal_actions.REVERSAL_ACTIONS

    view_permission = "accounts.see_payments"
    empty_text = "Refunds and disputes stand here as Stripe tells of them."
    copyable_fields = (
        "stripe_id",
        "charge_id",
    )
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
        "standing",
        "amount",
        "credits",
        "reason",
        "problem",
        "receipt_shown",
        "due",
        "at",
    )
    list_filter = (
        FlaggedFilter,
        OpenDisputesFilter,
        "kind",
        "state",
        "problem",
        ("reason", NonEmptyValuesFilter),
    )
    search_fields = ("public_id__exact", "stripe_id__exact", "charge_id__exact")
    search_help_text = "A payment_reversal_ id, or Stripe's re_, du_ or ch_"
    list_select_related = ("receipt",)
    change_form_after_template = "admin/billing/reversal_after.html"
    fields = (
        "id_shown",
        "kind",
        "standing",
        "amount",
        "credits",
        "excess_credits",
        "problem",
        "resolution",
        "resolved",
        "reason",
        "stripe_id",
        "stripe_status",
        "charge_id",
        "receipt_shown",
        "due",
        "at",
    )
    readonly_fields = fields

    @display(description="reversal id")
    def id_shown(self, reversal: PaymentReversal) -> str:
        return copyable(reversal.public_id)

    @display(
        description="state",
        label={"applied": "warning", "undone": "success", "lost": "danger", "rejected": "danger"},
    )
    def standing(self, reversal: PaymentReversal) -> tuple[str, str]:
        return reversal.state, reversal.get_state_display()

    @display(description="amount")
    def amount(self, reversal: PaymentReversal) -> str:
        return amounts.format_amount(reversal.amount_cents, reversal.currency)

    @display(description="receipt")
    def receipt_shown(self, reversal: PaymentReversal) -> str:
        return object_link(reversal.receipt)

    @display(description="evidence due")
    def due(self, reversal: PaymentReversal) -> str:
        return display_datetime(reversal.evidence_due_by)

    @display(description="resolved")
    def resolved(self, reversal: PaymentReversal) -> str:
        return display_datetime(reversal.resolved_at)

    @display(description="first seen")
    def at(self, reversal: PaymentReversal) -> str:
        return display_datetime(reversal.created_at)
