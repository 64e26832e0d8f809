"""Refunds and disputes in the console, as Stripe tells of them and as the ledger took them."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin import reversal_actions
from billing.models import PaymentReversal
from imageskill.lib import amounts
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.filters import FoundCodesFilter
from imageskill.lib.admin.formatting import copyable, link_to, moment
from imageskill.lib.admin.queryset_filters import SetFilter


class FlaggedFilter(SetFilter):
    """What finance has to look at."""

    title = "queue"
    parameter_name = "flagged"
    label = "waits for finance"
    set_name = "flagged"


class OpenFilter(SetFilter):
    """What the bank has not decided; by deadline it stands on a page of its own."""

    title = "disputes"
    parameter_name = "open"
    label = "still to be decided"
    set_name = "open_disputes"


@admin.register(PaymentReversal)
class PaymentReversalAdmin(ReadOnlyAdmin):
    """One refund or dispute."""

    deeds = reversal_actions.ALL

    seen_with = "accounts.see_payments"
    empty_text = "Refunds and disputes stand here as Stripe tells of them."
    copied = (
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
        OpenFilter,
        "kind",
        "state",
        "problem",
        ("reason", FoundCodesFilter),
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
        return amounts.written(reversal.amount_cents, reversal.currency)

    @display(description="receipt")
    def receipt_shown(self, reversal: PaymentReversal) -> str:
        return link_to(reversal.receipt)

    @display(description="evidence due")
    def due(self, reversal: PaymentReversal) -> str:
        return moment(reversal.evidence_due_by)

    @display(description="resolved")
    def resolved(self, reversal: PaymentReversal) -> str:
        return moment(reversal.resolved_at)

    @display(description="first seen")
    def at(self, reversal: PaymentReversal) -> str:
        return moment(reversal.created_at)
