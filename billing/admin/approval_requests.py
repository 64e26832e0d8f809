"""What one person requests and another decides: refunds, grants, adjustments, write-offs."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin import adjustment_actions, refund_actions
from billing.models import CreditCorrection, RefundRequest, RefundStatus
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.queryset_filters import QuerySetFilter

_STATE_COLORS = {
    "requested": "warning",
    "approved": "success",
    "turned_down": "danger",
    "expired": "info",
}


class ApprovalRequestAdmin(ReadOnlyAdmin):
    """A request and its decision."""

    badges = {"state": _STATE_COLORS}
    labels = {"state": "status", "reason_code": "reason", "reason": "note"}


_REFUND_COLORS = {
    RefundStatus.PENDING_APPROVAL: "warning",
    RefundStatus.REQUIRES_ACTION: "warning",
    RefundStatus.SUCCEEDED: "success",
    RefundStatus.FAILED: "danger",
    RefundStatus.REJECTED: "danger",
}


class FailedRefundsFilter(QuerySetFilter):
    """Refunds that failed, until somebody has dealt with them."""

    title = "outcome"
    parameter_name = "failed"
    label = "failed"
    queryset_method = "failed"


@admin.register(RefundRequest)
class RefundRequestAdmin(ApprovalRequestAdmin):
    """A requested refund."""

    object_actions = refund_actions.REQUEST_ACTIONS
    view_permission = "accounts.see_payments"
    empty_text = (
        "Refunds appear here once support requests one on a receipt's page, or a sponsor on theirs."
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
        "refund_status",
        "failure",
        "failure_resolved_at",
        "finished_at",
        "reversal__public_id",
    )
    list_display = (
        "id",
        "outcome",
        "amount_cents",
        "reason_code",
        "is_from_sponsor",
        "receipt",
        "requested_by",
        "requested_at",
    )
    list_filter = (FailedRefundsFilter, "state", "is_from_sponsor")
    list_select_related = ("receipt", "requested_by")
    fields = (
        "outcome",
        "failed_because",
        "amount_cents",
        "reason_code",
        "reason",
        "receipt",
        "unmatched_payment",
        "is_from_sponsor",
        "requested_by",
        "requested_at",
        "expires_at",
        "first_approved_by",
        "first_approved_at",
        "decided_by",
        "decided_at",
        "decision_note",
        "sent_at",
        "stripe_refund_id",
        "reserved_credits",
        "failure",
        "failure_resolved_at",
        "reversal",
    )

    @display(description="status", label=_REFUND_COLORS)
    def outcome(self, request: RefundRequest) -> tuple[str, str]:
        """Return where it stands, from its decision to what Stripe says."""
        return request.status, str(request.status.label)

    @display(description="failed because")
    def failed_because(self, request: RefundRequest) -> str:
        """Return Stripe's reason of a failed refund in words."""
        return request.failure_words or "–"


@admin.register(CreditCorrection)
class CreditCorrectionAdmin(ApprovalRequestAdmin):
    """A requested grant, adjustment or write-off."""

    object_actions = adjustment_actions.REQUEST_ACTIONS
    view_permission = "accounts.see_payments"
    empty_text = (
        "Grants, adjustments and write-offs appear here once they are requested on an agent's page."
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
    list_display = (
        "id",
        "kind",
        "credits",
        "state",
        "organization",
        "requested_by",
        "requested_at",
    )
    list_filter = ("state", "kind")
    list_select_related = ("organization", "requested_by")
    fields = (
        "kind",
        "credits",
        "state",
        "reason",
        "organization",
        "requested_by",
        "requested_at",
        "expires_at",
        "decided_by",
        "decided_at",
        "decision_note",
        "applied_credits",
    )
