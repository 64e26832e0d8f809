"""What finance does about a reversal that the books could not follow."""

from collections.abc import Sequence

from billing.models import PaymentReversal
from billing.reversals import applying
from imageskill.lib.admin.actions import ActionRefused, ActionRequest, StaffAction


def _resolve(reversal: PaymentReversal, action: ActionRequest) -> str:
    try:
        applying.resolve(reversal_id=reversal.pk, user=action.user, reason=action.reason)
    except applying.NotFlagged as refusal:
        raise ActionRefused(str(refusal)) from refusal
    return "Resolved; it has left the queue."


REVERSAL_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="resolve",
        label="Resolve",
        permission="accounts.ledger_request",
        preview=lambda reversal: (
            f"It waits because: {reversal.get_problem_display()}.",
            "Nothing moves. It leaves the queue, and your reason stays with it.",
            "If another problem is found with it, it comes back.",
        ),
        perform=_resolve,
        is_open=lambda reversal: reversal.is_flagged,
    ),
)
