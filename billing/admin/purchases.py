"""Quotes and attempts to pay in the console."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin import refund_actions
from billing.admin.timelines import TimelineAdmin
from billing.models import PaymentAttempt, Quote, UnmatchedPayment
from imageskill.lib import amounts
from imageskill.lib.admin.formatting import copyable, display_amount, display_datetime, object_link

_VIEW_PERMISSION = "accounts.see_payments"


@admin.register(Quote)
class QuoteAdmin(TimelineAdmin):
    """What was offered, to whom, until when."""

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "An agent or sponsor that asks what credits cost gets a quote, which then stands here."
    )
    export_fields = (
        "public_id",
        "organization__public_id",
        "agent__public_id",
        "payment_method",
        "pack_id",
        "pack_name",
        "credits",
        "price_cents",
        "currency",
        "trace_id",
        "created_at",
        "expires_at",
    )
    list_display = ("id_shown", "payment_method", "credits", "price", "agent_shown", "at")
    list_filter = ("payment_method",)
    search_fields = ("public_id__exact", "organization__public_id__exact")
    search_help_text = "A quote_ or org_ id"
    list_select_related = ("agent",)
    fields = (
        "id_shown",
        "payment_method",
        "pack_name",
        "credits",
        "price",
        "agent_shown",
        "user",
        "idempotency_key",
        "at",
        "until",
    )
    readonly_fields = fields

    def get_quote(self, thing: Quote) -> Quote:
        """Return the quote itself."""
        return thing

    @display(description="quote id")
    def id_shown(self, quote: Quote) -> str:
        return copyable(quote.public_id)

    @display(description="price")
    def price(self, quote: Quote) -> str:
        return display_amount(quote.price_cents)

    @display(description="agent")
    def agent_shown(self, quote: Quote) -> str:
        return object_link(quote.agent)

    @display(description="made")
    def at(self, quote: Quote) -> str:
        return display_datetime(quote.created_at)

    @display(description="good until")
    def until(self, quote: Quote) -> str:
        return display_datetime(quote.expires_at)


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(TimelineAdmin):
    """One try to pay a quote."""

    view_permission = _VIEW_PERMISSION
    empty_text = "An attempt stands here as soon as somebody sets out to pay a quote."
    copyable_fields = (
        "checkout_session_id",
        "payment_intent_id",
    )
    export_fields = (
        "public_id",
        "quote__public_id",
        "agent__public_id",
        "environment",
        "status",
        "problem",
        "checkout_session_id",
        "payment_intent_id",
        "trace_id",
        "created_at",
        "updated_at",
    )
    list_display = ("id_shown", "status", "environment", "quote_shown", "problem", "at")
    list_filter = ("status", "environment")
    search_fields = ("public_id__exact", "checkout_session_id__exact", "payment_intent_id__exact")
    search_help_text = "A payatt_ id, or Stripe's cs_ or pi_"
    list_select_related = ("quote",)
    fields = (
        "id_shown",
        "status",
        "problem",
        "environment",
        "quote_shown",
        "checkout_session_id",
        "payment_intent_id",
        "at",
    )
    readonly_fields = fields

    @display(description="attempt id")
    def id_shown(self, attempt: PaymentAttempt) -> str:
        return copyable(attempt.public_id)

    @display(description="quote")
    def quote_shown(self, attempt: PaymentAttempt) -> str:
        return object_link(attempt.quote)

    @display(description="made")
    def at(self, attempt: PaymentAttempt) -> str:
        return display_datetime(attempt.created_at)


@admin.register(UnmatchedPayment)
class UnmatchedPaymentAdmin(TimelineAdmin):
    """Money that came in and granted nothing: overpayments and amounts that differ."""

    object_actions = refund_actions.UNMATCHED_ACTIONS

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "Money that came in and granted nothing would wait here: paid twice, or another amount."
    )
    copyable_fields = (
        "checkout_session_id",
        "payment_intent_id",
        "charge_id",
    )
    export_fields = (
        "id",
        "reason",
        "state",
        "environment",
        "amount_cents",
        "currency",
        "quote__public_id",
        "attempt__public_id",
        "checkout_session_id",
        "payment_intent_id",
        "charge_id",
        "note",
        "found_at",
        "resolved_at",
    )
    list_display = ("reason", "state", "amount", "environment", "quote_shown", "at")
    list_filter = ("state", "reason")
    search_fields = ("checkout_session_id__exact", "payment_intent_id__exact", "charge_id__exact")
    search_help_text = "Stripe's cs_, pi_ or ch_"
    list_select_related = ("quote",)
    fields = (
        "reason",
        "state",
        "amount",
        "environment",
        "quote_shown",
        "checkout_session_id",
        "payment_intent_id",
        "charge_id",
        "note",
        "at",
    )
    readonly_fields = fields

    @display(description="amount")
    def amount(self, payment: UnmatchedPayment) -> str:
        return amounts.format_amount(payment.amount_cents, payment.currency)

    @display(description="quote")
    def quote_shown(self, payment: UnmatchedPayment) -> str:
        return object_link(payment.quote)

    @display(description="found")
    def at(self, payment: UnmatchedPayment) -> str:
        return display_datetime(payment.found_at)
