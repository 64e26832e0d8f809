"""Reconciliation in the console: days, Stripe's movements, differences and who owns them."""

from datetime import timedelta

from django.contrib import admin
from unfold.decorators import display

from billing.admin import month_close_actions
from billing.models import BalanceMovement, Difference, ReconciledDay
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.day_filter import DayFilter
from imageskill.lib.admin.formatting import (
    copyable,
    display_amount,
    display_datetime,
    list_link,
    object_link,
)
from imageskill.lib.amounts import format_amount

_VIEW_PERMISSION = "accounts.see_ledger"


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin):
    """Something that Stripe and we tell differently."""

    object_actions = month_close_actions.DIFFERENCE_ACTIONS

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "What Stripe's balance and our receipts, refunds and disputes tell differently would be "
        "here. They are compared every night; `manage.py reconcile` compares days at once."
    )
    copyable_fields = ("stripe_id",)
    export_fields = (
        "id",
        "day",
        "reason",
        "environment",
        "stripe_id",
        "receipt__number",
        "reversal__public_id",
        "stripe_cents",
        "stripe_currency",
        "our_cents",
        "state",
        "owner__email",
        "note",
        "found_at",
        "closed_at",
    )
    list_display = ("reason", "state", "day", "theirs", "ours", "receipt_shown", "owner")
    list_filter = ("state", "reason")
    search_fields = (
        "stripe_id__exact",
        "receipt__public_id__exact",
        "receipt__number__exact",
        "reversal__public_id__exact",
    )
    search_help_text = "An id of Stripe's, a receipt's number, a receipt_ or payment_reversal_ id"
    list_select_related = ("owner", "receipt", "reversal")
    fields = (
        "reason",
        "state",
        "day",
        "environment",
        "theirs",
        "ours",
        "stripe_id",
        "movements",
        "receipt_shown",
        "reversal_shown",
        "owner_shown",
        "note",
        "found",
        "closed",
    )
    readonly_fields = fields

    @display(description="found")
    def found(self, difference: Difference) -> str:
        return display_datetime(difference.found_at)

    @display(description="closed")
    def closed(self, difference: Difference) -> str:
        return display_datetime(difference.closed_at)

    @display(description="Stripe says")
    def theirs(self, difference: Difference) -> str:
        if difference.stripe_cents is None:
            return "–"
        return format_amount(difference.stripe_cents, difference.stripe_currency.upper())

    @display(description="we say")
    def ours(self, difference: Difference) -> str:
        return display_amount(difference.our_cents)

    @display(description="receipt")
    def receipt_shown(self, difference: Difference) -> str:
        return object_link(difference.receipt)

    @display(description="reversal")
    def reversal_shown(self, difference: Difference) -> str:
        return object_link(difference.reversal)

    @display(description="owner")
    def owner_shown(self, difference: Difference) -> str:
        return object_link(difference.owner)

    @display(description="Stripe's movements")
    def movements(self, difference: Difference) -> str:
        if not difference.stripe_id:
            return "–"
        return list_link(
            BalanceMovement,
            "what moved under this id",
            source_id__exact=difference.stripe_id,
        )


@admin.register(ReconciledDay)
class ReconciledDayAdmin(ReadOnlyAdmin):
    """One day, by Stripe's balance and by our books."""

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "Each UTC day would be here, with what Stripe moved beside what we booked. A task "
        "compares the last days every night; `manage.py reconcile --since` compares older ones."
    )
    export_fields = (
        "day",
        "environment",
        "stripe_payments_cents",
        "stripe_refunds_cents",
        "stripe_disputes_cents",
        "stripe_fees_cents",
        "receipts_cents",
        "refunds_cents",
        "disputes_cents",
        "granted_credits",
        "reversed_credits",
        "open_differences",
        "reconciled_at",
    )
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
    fields = (
        "day",
        "environment",
        "payments",
        "refunds",
        "disputes",
        "fees",
        "granted_credits",
        "reversed_credits",
        "movements",
        "differences",
        "reconciled",
    )
    readonly_fields = fields

    @display(description="payments")
    def payments(self, day: ReconciledDay) -> str:
        return _compare_amounts(day.stripe_payments_cents, day.receipts_cents)

    @display(description="refunds")
    def refunds(self, day: ReconciledDay) -> str:
        return _compare_amounts(day.stripe_refunds_cents, day.refunds_cents)

    @display(description="disputes")
    def disputes(self, day: ReconciledDay) -> str:
        return _compare_amounts(day.stripe_disputes_cents, day.disputes_cents)

    @display(description="Stripe's fees")
    def fees(self, day: ReconciledDay) -> str:
        return display_amount(day.stripe_fees_cents)

    @display(description="Stripe's movements")
    def movements(self, day: ReconciledDay) -> str:
        return list_link(
            BalanceMovement,
            "each with its receipt or reversal",
            environment__exact=day.environment,
            created_at__gte=day.day.isoformat(),
            created_at__lt=(day.day + timedelta(days=1)).isoformat(),
        )

    @display(description="differences")
    def differences(self, day: ReconciledDay) -> str:
        return list_link(
            Difference,
            f"{day.open_differences} open when it was reconciled",
            environment__exact=day.environment,
            day__exact=day.day.isoformat(),
        )

    @display(description="reconciled")
    def reconciled(self, day: ReconciledDay) -> str:
        return display_datetime(day.reconciled_at)

    @display(description="Stripe: payments − refunds − disputes")
    def theirs(self, day: ReconciledDay) -> str:
        return display_amount(
            day.stripe_payments_cents + day.stripe_refunds_cents + day.stripe_disputes_cents
        )

    @display(description="we: receipts − refunds − disputes")
    def ours(self, day: ReconciledDay) -> str:
        return display_amount(day.receipts_cents - day.refunds_cents - day.disputes_cents)


@admin.register(BalanceMovement)
class BalanceMovementAdmin(ReadOnlyAdmin):
    """One of Stripe's balance transactions."""

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "Payments, refunds, disputes and fees as Stripe's balance tells of them would be here. "
        "They are read when days are reconciled, every night."
    )
    copyable_fields = (
        "stripe_id",
        "source_id",
    )
    export_fields = (
        "stripe_id",
        "category",
        "stripe_type",
        "source_id",
        "amount_cents",
        "fee_cents",
        "net_cents",
        "currency",
        "exchange_rate",
        "environment",
        "is_ours",
        "receipt__number",
        "reversal__public_id",
        "created_at",
        "read_at",
    )
    list_display = (
        "stripe_id",
        "category",
        "amount",
        "fee",
        "net",
        "receipt_shown",
        "reversal_shown",
        "environment",
        "at",
    )
    list_filter = ("category", "environment", ("created_at", DayFilter))
    search_fields = (
        "stripe_id__exact",
        "source_id__exact",
        "receipt__public_id__exact",
        "receipt__number__exact",
        "reversal__public_id__exact",
    )
    search_help_text = "Stripe's txn_, ch_, re_ or du_, a receipt's number or id, a reversal's id"
    list_select_related = ("receipt", "reversal")
    fields = (
        "stripe_id",
        "category",
        "stripe_type",
        "source",
        "amount",
        "fee",
        "net",
        "exchange_rate",
        "environment",
        "receipt_shown",
        "reversal_shown",
        "differences",
        "at",
        "read",
    )
    readonly_fields = fields

    @display(description="amount")
    def amount(self, movement: BalanceMovement) -> str:
        return format_amount(movement.amount_cents, movement.currency.upper())

    @display(description="Stripe's fee")
    def fee(self, movement: BalanceMovement) -> str:
        return format_amount(movement.fee_cents, movement.currency.upper())

    @display(description="net")
    def net(self, movement: BalanceMovement) -> str:
        return format_amount(movement.net_cents, movement.currency.upper())

    @display(description="receipt")
    def receipt_shown(self, movement: BalanceMovement) -> str:
        return object_link(movement.receipt)

    @display(description="reversal")
    def reversal_shown(self, movement: BalanceMovement) -> str:
        return object_link(movement.reversal)

    @display(description="source")
    def source(self, movement: BalanceMovement) -> str:
        return copyable(movement.source_id)

    @display(description="differences")
    def differences(self, movement: BalanceMovement) -> str:
        if not movement.source_id:
            return "–"
        return list_link(Difference, "under this id", stripe_id__exact=movement.source_id)

    @display(description="moved")
    def at(self, movement: BalanceMovement) -> str:
        return display_datetime(movement.created_at)

    @display(description="read from Stripe")
    def read(self, movement: BalanceMovement) -> str:
        return display_datetime(movement.read_at)


def _compare_amounts(theirs: int, ours: int) -> str:
    return f"{display_amount(theirs)} at Stripe, {display_amount(ours)} here"
