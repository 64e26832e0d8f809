"""Receipts in the console."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from billing import payment_timeline
from billing.admin import refund_deeds
from billing.models import Receipt
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.shown import copyable, dollars, link_to, moment


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """What was paid and granted; final."""

    deeds = refund_deeds.RECEIPT

    seen_with = "accounts.see_payments"
    export_fields = (
        "number",
        "public_id",
        "issued_at",
        "organization__public_id",
        "agent__public_id",
        "payment_method",
        "environment",
        "credits",
        "amount_cents",
        "discount_cents",
        "currency",
        "owed_settled_credits",
        "balance_after",
        "quote__public_id",
        "attempt__public_id",
        "payment_intent_id",
        "charge_id",
        "credit_event_id",
        "trace_id",
    )
    list_display = ("number", "amount", "credits", "payment_method", "environment", "who", "at")
    list_filter = ("environment", "payment_method")
    search_fields = (
        "public_id__exact",
        "number__exact",
        "organization__public_id__exact",
        "payment_intent_id__exact",
        "charge_id__exact",
    )
    search_help_text = "A number, a receipt_ or org_ id, or Stripe's pi_ or ch_"
    list_select_related = ("agent", "organization")
    change_form_after_template = "admin/billing/receipt_after.html"
    fields = (
        "number",
        "id_shown",
        "amount",
        "discount",
        "credits",
        "owed_settled_credits",
        "payment_method",
        "environment",
        "who",
        "organization_shown",
        "quote_shown",
        "payment_intent_id",
        "charge_id",
        "at",
    )
    readonly_fields = fields

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Load a receipt with what its page shows."""
        found = self.get_queryset(request).select_related(
            "agent", "organization", "quote", "attempt"
        )
        return found.filter(pk=object_id).first() if object_id.isdigit() else None

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add the payment's timeline."""
        receipt = self.get_object(request, object_id)
        timeline = payment_timeline.of(receipt) if receipt else None
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "timeline": timeline}
        )

    @display(description="receipt id")
    def id_shown(self, receipt: Receipt) -> str:
        return copyable(receipt.public_id)

    @display(description="amount")
    def amount(self, receipt: Receipt) -> str:
        return dollars(receipt.amount_cents)

    @display(description="discount that we bore")
    def discount(self, receipt: Receipt) -> str:
        return dollars(receipt.discount_cents)

    @display(description="agent")
    def who(self, receipt: Receipt) -> str:
        return link_to(receipt.agent)

    @display(description="organization")
    def organization_shown(self, receipt: Receipt) -> str:
        return link_to(receipt.organization)

    @display(description="quote")
    def quote_shown(self, receipt: Receipt) -> str:
        return link_to(receipt.quote)

    @display(description="issued")
    def at(self, receipt: Receipt) -> str:
        return moment(receipt.issued_at)
