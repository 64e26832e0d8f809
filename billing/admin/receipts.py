"""Receipts in the console."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin import refund_deeds
from billing.models import Receipt
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.shown import copyable, dollars, link_to, moment


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """What was paid and granted; final."""

    deeds = refund_deeds.RECEIPT

    seen_with = "accounts.see_payments"
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
