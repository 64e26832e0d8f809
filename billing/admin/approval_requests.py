"""What one person asks for and another decides: refunds, grants, corrections, write-offs."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin import adjustment_actions, refund_actions
from billing.models import CreditCorrection, RefundRequest
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import display_amount, display_datetime, object_link

_STATUS_DISPLAY = display(
    description="state",
    label={
        "requested": "warning",
        "approved": "success",
        "turned_down": "danger",
        "expired": "info",
    },
)


class ApprovalRequestAdmin(ReadOnlyAdmin):
    """A request and its decision."""

    @_STATUS_DISPLAY
    def standing(self, request: RefundRequest | CreditCorrection) -> tuple[str, str]:
        return request.state, request.get_state_display()

    @display(description="asked")
    def asked(self, request: RefundRequest | CreditCorrection) -> str:
        return display_datetime(request.requested_at)

    @display(description="expires")
    def until(self, request: RefundRequest | CreditCorrection) -> str:
        return display_datetime(request.expires_at)

    @display(description="decided")
    def decided(self, request: RefundRequest | CreditCorrection) -> str:
        return display_datetime(request.decided_at)


@admin.register(RefundRequest)
class RefundRequestAdmin(ApprovalRequestAdmin):
    """A refund that was asked for."""

    object_actions = refund_actions.REQUEST_ACTIONS

    view_permission = "accounts.see_payments"
    empty_text = (
        "A refund that support asks for on a receipt's page, or a sponsor on theirs, stands here."
    )
    copyable_fields = ("stripe_refund_id",)
    export_fields = (
        "id",
        "state",
        "amount_cents",
        "reason_code",
        "reason",
        "receipt__number",
        "unmatched_payment_id",
        "is_from_sponsor",
        "needs_second_person",
        "requested_by__email",
        "requested_at",
        "expires_at",
        "decided_by__email",
        "decided_at",
        "decision_note",
        "sent_at",
        "stripe_refund_id",
        "failure",
        "finished_at",
        "reversal__public_id",
    )
    list_display = (
        "id",
        "standing",
        "amount",
        "reason_code",
        "is_from_sponsor",
        "receipt_shown",
        "who",
        "asked",
    )
    list_filter = ("state", "is_from_sponsor")
    list_select_related = ("receipt", "requested_by")
    fields = (
        "state",
        "amount",
        "reason_code",
        "reason",
        "receipt_shown",
        "unmatched_payment",
        "is_from_sponsor",
        "who",
        "asked",
        "until",
        "decided_by",
        "decided",
        "decision_note",
        "stripe_refund_id",
        "failure",
        "reversal_shown",
    )
    readonly_fields = fields

    @display(description="amount")
    def amount(self, request: RefundRequest) -> str:
        return display_amount(request.amount_cents)

    @display(description="asked by")
    def who(self, request: RefundRequest) -> str:
        return request.requested_by.email

    @display(description="receipt")
    def receipt_shown(self, request: RefundRequest) -> str:
        return object_link(request.receipt)

    @display(description="refund")
    def reversal_shown(self, request: RefundRequest) -> str:
        return object_link(request.reversal)


@admin.register(CreditCorrection)
class CreditCorrectionAdmin(ApprovalRequestAdmin):
    """A grant, adjustment or write-off that was asked for."""

    object_actions = adjustment_actions.REQUEST_ACTIONS

    view_permission = "accounts.see_payments"
    empty_text = (
        "Goodwill, corrections and write-offs that are asked for on an agent's page stand here."
    )
    export_fields = (
        "id",
        "kind",
        "state",
        "organization__public_id",
        "credits",
        "applied_credits",
        "reason",
        "needs_second_person",
        "requested_by__email",
        "requested_at",
        "expires_at",
        "decided_by__email",
        "decided_at",
        "decision_note",
    )
    list_display = ("id", "kind", "credits", "standing", "organization_shown", "who", "asked")
    list_filter = ("state", "kind")
    list_select_related = ("organization", "requested_by")
    fields = (
        "kind",
        "credits",
        "state",
        "reason",
        "organization_shown",
        "who",
        "asked",
        "until",
        "decided_by",
        "decided",
        "decision_note",
        "applied_credits",
    )
    readonly_fields = fields

    @display(description="organization")
    def organization_shown(self, request: CreditCorrection) -> str:
        return object_link(request.organization)

    @display(description="asked by")
    def who(self, request: CreditCorrection) -> str:
        return request.requested_by.email
