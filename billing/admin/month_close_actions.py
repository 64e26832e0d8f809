"""What finance does about differences and closed months."""

from collections.abc import Callable, Sequence
from typing import Any

from billing.models import Difference, MonthClose
from billing.reconciliation import month_close, run
from imageskill.lib.admin.actions import Asked, Deed, Refused


def _take_on(difference: Difference, asked: Asked) -> str:
    run.take_on(difference=difference, user=asked.user, reason=asked.reason)
    return "It is yours."


def _close(difference: Difference, asked: Asked) -> str:
    run.close(difference=difference, user=asked.user, note=asked.reason)
    return "Closed with your note."


def _month(verb: Callable[..., Any], done: str) -> Callable[..., str]:
    def perform(closed: MonthClose, asked: Asked) -> str:
        try:
            verb(closed=closed, user=asked.user, reason=asked.reason)
        except month_close.CloseRefused as refusal:
            raise Refused(str(refusal)) from refusal
        return done

    return perform


DIFFERENCE: Sequence[Deed] = (
    Deed(
        name="take-on",
        label="Take it on",
        permission="accounts.ledger_request",
        preview=lambda _: ("You own it until you close it or somebody else takes it on.",),
        perform=_take_on,
        is_open=lambda difference: difference.state == Difference.State.OPEN,
    ),
    Deed(
        name="close",
        label="Close with a note",
        permission="accounts.ledger_request",
        preview=lambda difference: (
            f"{difference.get_reason_display()}.",
            "Nothing moves; your note says why the difference is right as it is.",
        ),
        perform=_close,
        is_open=lambda difference: difference.state == Difference.State.OPEN,
    ),
)
MONTH: Sequence[Deed] = (
    Deed(
        name="ask-to-reopen",
        label="Ask to reopen",
        permission="accounts.ledger_request",
        preview=lambda closed: (f"{closed} stays closed until a second person agrees.",),
        perform=_month(month_close.ask_to_reopen, "A second person has to agree."),
        is_open=lambda closed: closed.reopened_at is None and closed.reopen_asked_by_id is None,
    ),
    Deed(
        name="reopen",
        label="Reopen",
        permission="accounts.ledger_approve",
        preview=lambda closed: (
            f"{closed.reopen_asked_by} asked because: {closed.reopen_reason}",
            "The frozen figures are kept; closing again makes a further version.",
        ),
        perform=_month(month_close.reopen, "The month is open."),
        is_open=lambda closed: closed.reopened_at is None and closed.reopen_asked_by_id is not None,
        is_sensitive=True,
    ),
)
