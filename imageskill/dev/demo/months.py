"""The closed months of a made-up history, chained as month close chains them.

They are closed last: a month that is closed says what the ledger says, and made-up history is
written into months that are over.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from accounts.models import AuditLine, User
from billing.models import MonthClose
from billing.reconciliation import month_close
from imageskill.dev.demo import people
from imageskill.lib import clock

_Say = Callable[[str], None]
_WHY_REOPENED = "A refund of the last evening was booked after we had closed."
_WHY_ASKED = "The auditor asks for the fees to be looked at once more."


def are_others() -> bool:
    """Return whether a month in force was closed by somebody who is not made up."""
    mine = MonthClose.objects.filter(closed_by__email__endswith=people.STAFF_DOMAIN)
    return MonthClose.objects.filter(reopened_at=None).exclude(pk__in=mine).exists()


def reopen(*, staff: dict[str, User]) -> None:
    """Reopen what an earlier made-up history closed, the latest first, to write into it."""
    reason = "More history is to be made up."
    for closed in MonthClose.objects.filter(reopened_at=None).order_by("-month"):
        month_close.request_reopen(closed=closed, user=staff["finance"], reason=reason)
        month_close.reopen(closed=closed, user=staff["operator"], reason=reason)


def close(*, staff: dict[str, User], since: datetime, now: datetime, say: _Say) -> None:
    """Close each month that is over; the first one was reopened once, the last one may be."""
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
    """Close a month as `month_close` does, a few days after its end rather than now."""
    before = MonthClose.objects.filter(reopened_at=None, month__lt=month).order_by("-month").first()
    closed = MonthClose(
        month=month,
        version=MonthClose.objects.filter(month=month).count() + 1,
        figures=month_close.calculate_figures(month),
        previous_digest=before.digest if before else "",
        closed_by=user,
        closed_at=_moment(month, days_later),
    )
    closed.digest = month_close.chain_digest(closed)
    closed.save(force_insert=True)
    _note(closed, "month.close", user, closed.closed_at)
    return closed


def _reopen(closed: MonthClose, staff: dict[str, User]) -> None:
    asked_at, at = closed.closed_at + timedelta(hours=20), closed.closed_at + timedelta(hours=26)
    closed.reopen_asked_by, closed.reopen_reason = staff["finance"], _WHY_REOPENED
    closed.reopened_by, closed.reopened_at = staff["operator"], at
    closed.save(update_fields=["reopen_asked_by", "reopen_reason", "reopened_by", "reopened_at"])
    _note(closed, "month.reopen_request", staff["finance"], asked_at, _WHY_REOPENED)
    _note(closed, "month.reopen", staff["operator"], at, _WHY_REOPENED)


def _note(closed: MonthClose, action: str, user: User, at: datetime, reason: str = "") -> None:
    AuditLine.objects.create(
        at=at,
        user=user,
        actor=user.email,
        action=action,
        subject=f"{closed.month:%Y-%m}",
        reason=reason,
        after=closed.figures if action == "month.close" else None,
    )


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _moment(month: date, days_later: int) -> datetime:
    return datetime.combine(_next(month), time(9, 40), tzinfo=UTC) + timedelta(days=days_later)
