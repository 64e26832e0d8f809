"""Receipts in the console."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from billing.admin import refund_actions
from billing.admin.receipt_list import IssuedFilter, PackFilter, ReceiptChangeList
from billing.admin.timelines import TimelineAdmin
from billing.models import Receipt
from imageskill.lib.admin.formatting import display_datetime, list_link


@admin.register(Receipt)
class ReceiptAdmin(TimelineAdmin):
    """What was paid and granted; it never changes."""

    object_actions = refund_actions.RECEIPT_ACTIONS

    view_permission = "accounts.see_payments"
    empty_text = "Receipts appear here once a payment succeeds and its credits are granted."
    copyable_fields = (
        "payment_intent_id",
        "charge_id",
    )
    export_also = (
        "currency",
        "balance_after",
        "quote__pack_id",
        "attempt__public_id",
        "credit_event_id",
        "trace_id",
    )
    list_display = (
        "number",
        "amount_cents",
        "credits",
        "quote__pack_name",
        "payment_method",
        "environment",
        "agent",
        "issued_at",
    )
    labels = {
        "discount_cents": "discount",
        "owed_settled_credits": "applied to debt",
        "quote__pack_name": "pack",
    }
    list_filter = ("environment", "payment_method", PackFilter, IssuedFilter)
    list_before_template = "admin/billing/receipt_before.html"
    change_form_after_template = "admin/billing/receipt_after.html"
    search_fields = (
        "public_id__exact",
        "number__exact",
        "organization__public_id__exact",
        "agent__public_id__exact",
        "payment_intent_id__exact",
        "charge_id__exact",
    )
    search_help_text = "A number, a receipt_, org_ or agt_ id, or Stripe's pi_ or ch_"
    list_select_related = ("agent", "organization", "quote")
    fields = (
        "number",
        "public_id",
        "amount_cents",
        "discount_cents",
        "credits",
        "owed_settled_credits",
        "quote__pack_name",
        "payment_method",
        "environment",
        "agent",
        "organization",
        "others",
        "quote",
        "payment_intent_id",
        "charge_id",
        "refunds",
        "issued_at",
    )

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Load a receipt with what its page shows."""
        receipts = self.get_queryset(request).select_related(
            "agent", "organization", "quote", "attempt", "refund_block__blocked_by"
        )
        return receipts.filter(pk=object_id).first() if object_id.isdigit() else None

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ReceiptChangeList]:
        """Page by key, with totals."""
        return ReceiptChangeList

    @display(description="other receipts")
    def others(self, receipt: Receipt) -> SafeString:
        """Link to the list, narrowed to the organization or to the agent alone."""
        of_all = list_link(
            Receipt, "of the organization", organization__id__exact=receipt.organization_id
        )
        if receipt.agent_id is None:
            return of_all
        of_agent = list_link(Receipt, "of the agent", agent__id__exact=receipt.agent_id)
        return format_html("{} · {}", of_all, of_agent)

    @display(description="refunds")
    def refunds(self, receipt: Receipt) -> SafeString | str:
        block = getattr(receipt, "refund_block", None)
        if block is None:
            return "not blocked"
        return format_html(
            "blocked by {} since {}: {}",
            block.blocked_by,
            display_datetime(block.created_at),
            block.reason,
        )
