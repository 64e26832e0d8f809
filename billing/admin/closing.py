"""Reconciliation and month close in the console."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin import closing_deeds
from billing.models import BalanceMovement, Difference, MonthClose, ReconciledDay
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.shown import dollars, link_to, moment

_SEE = "accounts.see_ledger"


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin):
    """Something that Stripe and we tell differently."""

    deeds = closing_deeds.DIFFERENCE

    seen_with = _SEE
    list_display = ("reason", "state", "day", "theirs", "ours", "stripe_id", "owner")
    list_filter = ("state", "reason")
    search_fields = ("stripe_id__exact",)
    search_help_text = "An id of Stripe's"
    list_select_related = ("owner",)
    fields = (
        "reason",
        "state",
        "day",
        "environment",
        "theirs",
        "ours",
        "stripe_id",
        "receipt_shown",
        "reversal_shown",
        "owner",
        "note",
        "found_at",
        "closed_at",
    )
    readonly_fields = fields

    @display(description="Stripe says")
    def theirs(self, difference: Difference) -> str:
        return dollars(difference.stripe_cents)

    @display(description="we say")
    def ours(self, difference: Difference) -> str:
        return dollars(difference.our_cents)

    @display(description="receipt")
    def receipt_shown(self, difference: Difference) -> str:
        return link_to(difference.receipt)

    @display(description="reversal")
    def reversal_shown(self, difference: Difference) -> str:
        return link_to(difference.reversal)


@admin.register(ReconciledDay)
class ReconciledDayAdmin(ReadOnlyAdmin):
    """One day, by Stripe's balance and by our books."""

    seen_with = _SEE
    list_display = (
        "day",
        "environment",
        "theirs",
        "ours",
        "granted_credits",
        "reversed_credits",
        "open_differences",
    )
    list_filter = ("environment",)

    @display(description="Stripe: payments − refunds − disputes")
    def theirs(self, day: ReconciledDay) -> str:
        return dollars(
            day.stripe_payments_cents + day.stripe_refunds_cents + day.stripe_disputes_cents
        )

    @display(description="we: receipts − refunds − disputes")
    def ours(self, day: ReconciledDay) -> str:
        return dollars(day.receipts_cents - day.refunds_cents - day.disputes_cents)


@admin.register(BalanceMovement)
class BalanceMovementAdmin(ReadOnlyAdmin):
    """One of Stripe's balance transactions."""

    seen_with = _SEE


@admin.register(MonthClose)
class MonthCloseAdmin(ReadOnlyAdmin):
    """A month that was frozen."""

    deeds = closing_deeds.MONTH

    seen_with = _SEE
    list_display = ("month", "version", "closed_by", "closed", "reopened_at")
    list_select_related = ("closed_by",)
    fields = (
        "month",
        "version",
        "figures",
        "previous_digest",
        "digest",
        "closed_by",
        "closed",
        "reopen_asked_by",
        "reopen_reason",
        "reopened_by",
        "reopened_at",
    )
    readonly_fields = fields

    @display(description="closed")
    def closed(self, month: MonthClose) -> str:
        return moment(month.closed_at)
