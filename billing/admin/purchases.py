"""Quotes, checkouts and unmatched payments in the console."""

from django.contrib import admin

from billing.admin import refund_actions
from billing.admin.timelines import TimelineAdmin
from billing.models import PaymentAttempt, Quote, UnmatchedPayment

_VIEW_PERMISSION = "accounts.see_payments"


@admin.register(Quote)
class QuoteAdmin(TimelineAdmin):
    """What was offered, to whom, until when."""

    view_permission = _VIEW_PERMISSION
    empty_text = "Quotes appear here once an agent or sponsor asks what credits cost."
    export_also = (
        "organization__public_id",
        "pack_id",
        "currency",
        "trace_id",
    )
    list_display = ("public_id", "payment_method", "credits", "price_cents", "agent", "created_at")
    labels = {"pack_name": "pack"}
    list_filter = ("payment_method",)
    search_fields = ("public_id__exact", "organization__public_id__exact")
    search_help_text = "A quote_ or org_ id"
    list_select_related = ("agent",)
    fields = (
        "public_id",
        "payment_method",
        "pack_name",
        "credits",
        "price_cents",
        "agent",
        "user",
        "idempotency_key",
        "created_at",
        "expires_at",
    )

    def get_quote(self, thing: Quote) -> Quote:
        """Return the quote itself."""
        return thing


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(TimelineAdmin):
    """One attempt to pay a quote."""

    view_permission = _VIEW_PERMISSION
    empty_text = "Checkouts appear here once somebody begins to pay a quote."
    copyable_fields = (
        "checkout_session_id",
        "payment_intent_id",
    )
    export_also = (
        "agent__public_id",
        "trace_id",
        "updated_at",
    )
    list_display = ("public_id", "status", "environment", "quote", "problem", "created_at")
    list_filter = ("status", "environment")
    search_fields = ("public_id__exact", "checkout_session_id__exact", "payment_intent_id__exact")
    search_help_text = "A payatt_ id, or Stripe's cs_ or pi_"
    list_select_related = ("quote",)
    fields = (
        "public_id",
        "status",
        "problem",
        "environment",
        "quote",
        "checkout_session_id",
        "payment_intent_id",
        "created_at",
    )


@admin.register(UnmatchedPayment)
class UnmatchedPaymentAdmin(TimelineAdmin):
    """A payment that granted no credits: paid twice, or another amount."""

    object_actions = refund_actions.UNMATCHED_ACTIONS

    view_permission = _VIEW_PERMISSION
    empty_text = "Payments that granted no credits appear here: paid twice, or another amount."
    copyable_fields = (
        "checkout_session_id",
        "payment_intent_id",
        "charge_id",
    )
    export_also = (
        "id",
        "currency",
        "attempt__public_id",
        "resolved_at",
    )
    list_display = ("reason", "state", "amount_cents", "environment", "quote", "found_at")
    labels = {"state": "status"}
    list_filter = ("state", "reason")
    search_fields = ("checkout_session_id__exact", "payment_intent_id__exact", "charge_id__exact")
    search_help_text = "Stripe's cs_, pi_ or ch_"
    list_select_related = ("quote",)
    fields = (
        "reason",
        "state",
        "amount_cents",
        "environment",
        "quote",
        "checkout_session_id",
        "payment_intent_id",
        "charge_id",
        "note",
        "found_at",
    )
