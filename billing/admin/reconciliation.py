"""Reconciliation in the console: days, balance transactions, discrepancies and their owners."""

from collections.abc import Sequence
from datetime import timedelta

from django.contrib import admin
from unfold.decorators import display

from billing.models import BalanceMovement, Difference, ReconciledDay
from billing.reconciliation import fetching, run
from billing.stripe.gateway import PaymentProviderFailure
from billing.stripe.ownership import ForeignObject
from imageskill.lib.admin.actions import ActionRefused, ActionRequest, StaffAction
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.day_filter import DayFilter
from imageskill.lib.admin.formatting import display_amount, list_link

_VIEW_PERMISSION = "accounts.see_ledger"


def _assign(difference: Difference, action: ActionRequest) -> str:
    run.assign(difference=difference, user=action.user, reason=action.reason)
    return "Assigned to you."


def _resolve(difference: Difference, action: ActionRequest) -> str:
    run.resolve(difference=difference, user=action.user, note=action.reason)
    return "Resolved."


def _fetch(difference: Difference, action: ActionRequest) -> str:
    try:
        fetched = fetching.fetch(difference=difference, user=action.user, reason=action.reason)
    except fetching.FetchRefused as refusal:
        raise ActionRefused(str(refusal)) from refusal
    except (PaymentProviderFailure, ForeignObject) as failure:
        raise ActionRefused("Stripe could not be read. Try again in a minute.") from failure
    if fetched.state == Difference.State.OPEN:
        return "Fetched from Stripe. The discrepancy is still there."
    return "Fetched from Stripe. They agree now: the discrepancy is auto-resolved."


_DIFFERENCE_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="fetch",
        label="Fetch from Stripe",
        permission="accounts.ledger_request",
        preview=lambda difference: (
            f"Stripe's {fetching.kind_of(difference)} {difference.stripe_id} is read and applied.",
            "What is applied already moves nothing again. The day is then reconciled again.",
        ),
        perform=_fetch,
        is_open=fetching.can_fetch,
        is_sensitive=True,
    ),
    StaffAction(
        name="take-on",
        label="Assign to me",
        permission="accounts.ledger_request",
        preview=lambda _: (
            "You own it until it is resolved or somebody else assigns it to themselves.",
        ),
        perform=_assign,
        is_open=lambda difference: difference.state == Difference.State.OPEN,
    ),
    StaffAction(
        name="close",
        label="Resolve",
        permission="accounts.ledger_request",
        preview=lambda difference: (
            f"{difference.get_reason_display()}.",
            "No credits move. Your reason says why the discrepancy needs no correction.",
        ),
        perform=_resolve,
        is_open=lambda difference: difference.state == Difference.State.OPEN,
    ),
)


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin):
    """A discrepancy between Stripe and the ledger."""

    object_actions = _DIFFERENCE_ACTIONS

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "Discrepancies appear here once Stripe's balance and our receipts, refunds and disputes "
        "differ. They are compared every night; `manage.py reconcile` compares days at once."
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
    list_display = ("reason", "state", "day", "stripe_cents", "our_cents", "receipt", "owner")
    labels = {
        "state": "status",
        "reason": "issue",
        "stripe_cents": "Stripe",
        "our_cents": "ledger",
        "closed_at": "resolved",
    }
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
        "stripe_cents",
        "our_cents",
        "stripe_id",
        "movements",
        "receipt",
        "reversal",
        "owner",
        "note",
        "found_at",
        "closed_at",
    )

    @display(description="balance transactions")
    def movements(self, difference: Difference) -> str:
        if not difference.stripe_id:
            return "–"
        return list_link(
            BalanceMovement,
            "with this source",
            source_id__exact=difference.stripe_id,
        )


@admin.register(ReconciledDay)
class ReconciledDayAdmin(ReadOnlyAdmin):
    """One day, by Stripe's balance and by the ledger."""

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "Days (UTC) appear here once they are reconciled, Stripe beside the ledger: the last ones "
        "every night, older ones by `manage.py reconcile --since`."
    )
    export_fields = (
        "day",
        "environment",
        "stripe_payments_cents",
        "stripe_refunds_cents",
        "stripe_disputes_cents",
        "stripe_net_cents",
        "stripe_fees_cents",
        "receipts_cents",
        "refunds_cents",
        "disputes_cents",
        "ledger_net_cents",
        "delta_cents",
        "granted_credits",
        "reversed_credits",
        "open_differences",
        "reconciled_at",
    )
    list_display = (
        "day",
        "environment",
        "stripe_net_cents",
        "ledger_net_cents",
        "delta",
        "granted_credits",
        "reversed_credits",
        "open_differences",
    )
    change_form_before_template = "admin/billing/day_comparison.html"
    labels = {"open_differences": "open discrepancies", "stripe_fees_cents": "Stripe fees"}
    list_filter = ("environment",)
    fields = (
        "day",
        "environment",
        "stripe_fees_cents",
        "granted_credits",
        "reversed_credits",
        "movements",
        "differences",
        "reconciled_at",
    )

    @display(description="balance transactions")
    def movements(self, day: ReconciledDay) -> str:
        return list_link(
            BalanceMovement,
            "of this day",
            environment__exact=day.environment,
            created_at__gte=day.day.isoformat(),
            created_at__lt=(day.day + timedelta(days=1)).isoformat(),
        )

    @display(description="discrepancies")
    def differences(self, day: ReconciledDay) -> str:
        return list_link(
            Difference,
            f"{day.open_differences:,} open when it was reconciled",
            environment__exact=day.environment,
            day__exact=day.day.isoformat(),
        )

    @display(description="delta", label={"Equal": "success", "Different": "danger"})
    def delta(self, day: ReconciledDay) -> tuple[str, str]:
        return (
            "Equal" if day.is_equal else "Different",
            display_amount(day.delta_cents),
        )


@admin.register(BalanceMovement)
class BalanceMovementAdmin(ReadOnlyAdmin):
    """One of Stripe's balance transactions."""

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "Payments, refunds, disputes and fees of Stripe's balance appear here once their day is "
        "reconciled, every night."
    )
    copyable_fields = ("stripe_id", "source_id")
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
        "unmatched_payment__checkout_session_id",
        "reversal__public_id",
        "created_at",
        "read_at",
    )
    list_display = (
        "stripe_id",
        "category",
        "amount_cents",
        "fee_cents",
        "net_cents",
        "receipt",
        "reversal",
        "environment",
        "created_at",
    )
    labels = {"fee_cents": "Stripe fee", "read_at": "fetched"}
    list_filter = ("category", "environment", ("created_at", DayFilter))
    search_fields = (
        "stripe_id__exact",
        "source_id__exact",
        "receipt__public_id__exact",
        "receipt__number__exact",
        "reversal__public_id__exact",
    )
    search_help_text = "Stripe's txn_, ch_, re_ or du_, a receipt's number or id, a reversal's id"
    list_select_related = ("receipt", "unmatched_payment", "reversal")
    fields = (
        "stripe_id",
        "category",
        "stripe_type",
        "source_id",
        "amount_cents",
        "fee_cents",
        "net_cents",
        "exchange_rate",
        "environment",
        "receipt",
        "unmatched_payment",
        "reversal",
        "differences",
        "created_at",
        "read_at",
    )

    @display(description="discrepancies")
    def differences(self, movement: BalanceMovement) -> str:
        if not movement.source_id:
            return "–"
        return list_link(Difference, "with this source", stripe_id__exact=movement.source_id)
