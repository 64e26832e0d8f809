"""Receipts in the console."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from billing.admin import refund_actions
from billing.admin.receipt_list import (
    IssuedFilter,
    PackFilter,
    ReceiptChangeList,
    StatusFilter,
)
from billing.admin.timelines import TimelineAdmin
from billing.models import Receipt
from billing.purchases import receipt_document, receipt_status
from billing.purchases.receipt_status import ReceiptStatus
from imageskill.lib.admin.formatting import display_amount, display_datetime, list_link


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
        "status",
        "refunded_cents",
        "disputed_cents",
        "net_cents",
        "currency",
        "method_kind",
        "method_brand",
        "method_last4",
        "paid_at",
        "balance_after",
        "quote__pack_id",
        "attempt__public_id",
        "credit_event_id",
        "trace_id",
    )
    list_display = (
        "number",
        "status",
        "amount_cents",
        "net",
        "credits",
        "quote__pack_name",
        "method",
        "environment",
        "agent",
        "issued_at",
    )
    labels = {
        "discount_cents": "discount",
        "owed_settled_credits": "applied to debt",
        "quote__pack_name": "pack",
    }
    list_filter = (StatusFilter, "environment", "payment_method", PackFilter, IssuedFilter)
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
        "status_line",
        "amount_cents",
        "discount_cents",
        "tax_cents",
        "net",
        "credits",
        "owed_settled_credits",
        "quote__pack_name",
        "method",
        "billed_to_lines",
        "payer",
        "seller_lines",
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
            "agent", "organization", "quote", "attempt", "payer", "refund_block__blocked_by"
        )
        receipts = receipt_status.with_status(receipts)
        return receipts.filter(pk=object_id).first() if object_id.isdigit() else None

    def filtered(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the list's rows for a file, with the status of each."""
        return receipt_status.with_status(super().filtered(request))

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ReceiptChangeList]:
        """Page by key, with totals."""
        return ReceiptChangeList

    @display(
        description="status",
        label={
            ReceiptStatus.PAID: "success",
            ReceiptStatus.PARTIALLY_REFUNDED: "warning",
            ReceiptStatus.DISPUTED: "danger",
            ReceiptStatus.LOST: "danger",
        },
    )
    def status(self, receipt: Any) -> tuple[str, str]:
        return receipt.status, self.status_line(receipt)

    @display(description="status")
    def status_line(self, receipt: Any) -> str:
        label = str(ReceiptStatus(receipt.status).label)
        return f"{label}, refund under way" if receipt.is_refund_under_way else label

    @display(description="net")
    def net(self, receipt: Any) -> str:
        return display_amount(receipt.net_cents, receipt.currency)

    @display(description="payment method")
    def method(self, receipt: Receipt) -> str:
        return receipt_document.method_name(receipt)

    @display(description="billed to")
    def billed_to_lines(self, receipt: Receipt) -> str:
        return ", ".join(receipt_document.build(receipt, shows_payer=True).billed_to)

    @display(description="seller")
    def seller_lines(self, receipt: Receipt) -> str:
        return ", ".join(receipt_document.build(receipt, shows_payer=True).seller)

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
