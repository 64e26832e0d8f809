"""Checking the books by a button."""

from collections.abc import Sequence

from billing.ledger import checks
from imageskill.lib.admin.actions import ActionRequest, StaffAction


def _check(_: None, action: ActionRequest) -> str:
    checks.request_check(user=action.user, reason=action.reason)
    return "A worker checks the books now; what it finds will be the first line of this list."


LIST_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="check",
        label="Check the books",
        permission=("accounts.ledger_request", "accounts.ledger_approve"),
        preview=lambda _: (
            "A worker goes through every wallet, transfer, job, receipt and closed month.",
            "Nothing moves. It is the check of every night; with a long history it takes minutes.",
        ),
        perform=_check,
    ),
)
