"""What finance does about differences and closed months."""

from collections.abc import Callable, Sequence
from typing import Any

from billing.models import Difference, MonthClose
from billing.reconciliation import month_close, run
from imageskill.lib.admin.actions import ActionRefused, ActionRequest, StaffAction


def _assign(difference: Difference, action: ActionRequest) -> str:
    run.assign(difference=difference, user=action.user, reason=action.reason)
    return "It is yours."


def _resolve(difference: Difference, action: ActionRequest) -> str:
    run.resolve(difference=difference, user=action.user, note=action.reason)
    return "Closed with your note."


def _month_action(verb: Callable[..., Any], done: str) -> Callable[..., str]:
    def perform(closed: MonthClose, action: ActionRequest) -> str:
        try:
            verb(closed=closed, user=action.user, reason=action.reason)
        except month_close.MonthCloseRefused as refusal:
            raise ActionRefused(str(refusal)) from refusal
        return done

    return perform


DIFFERENCE_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="take-on",
        label="Take it on",
        permission="accounts.ledger_request",
        preview=lambda _: ("You own it until you close it or somebody else takes it on.",),
        perform=_assign,
        is_open=lambda difference: difference.state == Difference.State.OPEN,
    ),
    StaffAction(
        name="close",
        label="Close with a note",
        permission="accounts.ledger_request",
        preview=lambda difference: (
            f"{difference.get_reason_display()}.",
            "Nothing moves; your note says why the difference is right as it is.",
        ),
        perform=_resolve,
        is_open=lambda difference: difference.state == Difference.State.OPEN,
    ),
)
MONTH_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="ask-to-reopen",
        label="Ask to reopen",
        permission="accounts.ledger_request",
        preview=lambda closed: (f"{closed} stays closed until a second person agrees.",),
        perform=_month_action(month_close.request_reopen, "A second person has to agree."),
        is_open=lambda closed: closed.reopened_at is None and closed.reopen_asked_by_id is None,
    ),
    StaffAction(
        name="reopen",
        label="Reopen",
        permission="accounts.ledger_approve",
        preview=lambda closed: (
            f"{closed.reopen_asked_by} asked because: {closed.reopen_reason}",
            "The frozen figures are kept; closing again makes a further version.",
        ),
        perform=_month_action(month_close.reopen, "The month is open."),
        is_open=lambda closed: closed.reopened_at is None and closed.reopen_asked_by_id is not None,
        is_sensitive=True,
    ),
)
