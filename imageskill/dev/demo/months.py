"""The closed months of a history: closed last, since a closed month says what the ledger says."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from accounts.models import User
from billing.models import MonthClose
from billing.reconciliation import month_close
from imageskill.dev.demo import people
from imageskill.lib import clock

_Say = Callable[[str], None]
_WHY_REOPENED = "A refund of the last evening was booked after we had closed."
_WHY_ASKED = "The auditor asks for the fees to be looked at once more."


def are_others() -> bool:
    """Return whether a month in force was closed by somebody of no history."""
    mine = MonthClose.objects.filter(closed_by__email__endswith=people.STAFF_DOMAIN)
    return MonthClose.objects.filter(reopened_at=None).exclude(pk__in=mine).exists()


def reopen(*, staff: dict[str, User]) -> None:
    """Reopen what an earlier history closed, the latest first, to write into it."""
    reason = "More history is to be made up."
    for closed in MonthClose.objects.filter(reopened_at=None).order_by("-month"):
        month_close.request_reopen(closed=closed, user=staff["finance"], reason=reason)
        month_close.reopen(closed=closed, user=staff["operator"], reason=reason)


def close(*, staff: dict[str, User], since: datetime, now: datetime, say: _Say) -> None:
    """Close each month that is over; the first one is reopened once, the last one may be."""
    months = list(_over(clock.utc_day(since), now))
    for number, month in enumerate(months):
        say(f"closing {month:%Y-%m}")
        closed = _close(month, staff["finance"], days_later=2)
        if number == 0:
            _reopen(closed, staff)
            closed = _close(month, staff["finance"], days_later=4)
        if number and month == months[-1]:
            month_close.request_reopen(closed=closed, user=staff["finance"], reason=_WHY_ASKED)


def _over(first: date, now: datetime) -> list[date]:
    """Return the months since that day that were over some days ago, each by its first day."""
    months = []
    month = first.replace(day=1)
    while _next(month) + timedelta(days=5) <= clock.utc_day(now):
        months.append(month)
        month = _next(month)
    return months


def _close(month: date, user: User, *, days_later: int) -> MonthClose:
    with clock.at(_moment(month, days_later)):
        return month_close.close(month=month, user=user, reason="it is over")


def _reopen(closed: MonthClose, staff: dict[str, User]) -> None:
    with clock.at(closed.closed_at + timedelta(hours=20)):
        month_close.request_reopen(closed=closed, user=staff["finance"], reason=_WHY_REOPENED)
    with clock.at(closed.closed_at + timedelta(hours=26)):
        month_close.reopen(closed=closed, user=staff["operator"], reason=_WHY_REOPENED)


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _moment(month: date, days_later: int) -> datetime:
    return datetime.combine(_next(month), time(9, 40), tzinfo=UTC) + timedelta(days=days_later)
