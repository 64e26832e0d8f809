"""Closing a month: its figures frozen, and chained to the month before by a digest.

Opening, what came in, what was spent, what was reversed, closing: all from the ledger alone.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, QuerySet, Sum

from accounts import audit
from accounts.models import User
from billing.books import Problem
from billing.chart import ROUTES, Kind, Term
from billing.models import MonthClose, Receipt, Transfer
from imageskill.lib import clock

# A transfer carries the moment at which its transaction wrote it; none takes this long to commit.
_SETTLES_AFTER = timedelta(minutes=10)


class CloseRefused(Exception):
    """The month can't be closed or reopened; the message says why."""


def close(*, month: date, user: User) -> MonthClose:
    """Freeze a month that is over, after the one before it; raises CloseRefused."""
    month = month.replace(day=1)
    if clock.now() < _end(month) + _SETTLES_AFTER:
        raise CloseRefused("This month is not over yet.")
    previous = _previous(month)
    closed = MonthClose(
        month=month,
        version=MonthClose.objects.filter(month=month).count() + 1,
        figures=figures_of(month),
        previous_digest=previous.digest if previous else "",
        closed_by=user,
    )
    closed.digest = digest_of(closed)
    try:
        with transaction.atomic():
            closed.save(force_insert=True)
            _record(closed, "month.close", user, "", after=closed.figures)
    except IntegrityError:
        raise CloseRefused("This month is closed already.") from None
    return closed


def ask_to_reopen(*, closed: MonthClose, user: User, reason: str) -> None:
    """Ask for a month to be reopened; somebody else decides."""
    with transaction.atomic():
        changed = MonthClose.objects.filter(pk=closed.pk, reopened_at__isnull=True).update(
            reopen_asked_by=user, reopen_reason=reason
        )
        if not changed:
            raise CloseRefused("This month is open.")
        _record(closed, "month.reopen_request", user, reason)


def reopen(*, closed: MonthClose, user: User) -> None:
    """Reopen a month that somebody else asked to; raises CloseRefused. Later ones come first."""
    with transaction.atomic():
        locked = MonthClose.objects.select_for_update(of=("self",)).get(pk=closed.pk)
        if locked.reopened_at is not None or locked.reopen_asked_by_id is None:
            raise CloseRefused("Nobody has asked to reopen this month.")
        if locked.reopen_asked_by_id == user.pk:
            raise CloseRefused("Who asked can't decide; a second person has to.")
        if _in_force().filter(month__gt=locked.month).exists():
            raise CloseRefused("A later month is closed; reopen that one first.")
        locked.reopened_by, locked.reopened_at = user, clock.now()
        locked.save(update_fields=["reopened_by", "reopened_at"])
        _record(locked, "month.reopen", user, locked.reopen_reason)


def figures_of(month: date) -> dict[str, Any]:
    """Add up a month from the ledger: credits by term and kind, receipts by environment."""
    start, end = _start(month), _end(month)
    inside = Transfer.objects.filter(created_at__gte=start, created_at__lt=end)
    by_kind = _sums(inside)
    terms = _terms(by_kind)
    opening = sum(_terms(_sums(Transfer.objects.filter(created_at__lt=start))).values())
    receipts = Receipt.objects.filter(issued_at__gte=start, issued_at__lt=end)
    by_environment = receipts.values("environment").annotate(
        count=Count("id"), amount_cents=Sum("amount_cents"), credits=Sum("credits")
    )
    return {
        "month": month.strftime("%Y-%m"),
        "opening_credits": opening,
        **terms,
        "closing_credits": opening + sum(terms.values()),
        "by_kind": by_kind,
        "receipts": {row.pop("environment"): row for row in by_environment.order_by("environment")},
        "transfers": inside.count(),
        "last_transfer_id": inside.aggregate(last=Max("id"))["last"],
    }


def digest_of(closed: MonthClose) -> str:
    """Hash a month's figures together with the digest of the month before."""
    document = {
        "figures": closed.figures,
        "version": closed.version,
        "previous": closed.previous_digest,
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def export(closed: MonthClose) -> Iterator[list[str | int]]:
    """Give a closed month as rows for a file."""
    figures = closed.figures
    yield ["month", figures["month"]]
    yield ["opening credits", figures["opening_credits"]]
    for term in Term:
        yield [term.label, figures[term.value]]
    yield ["closing credits", figures["closing_credits"]]
    for kind, credits in figures["by_kind"].items():
        yield [f"transfers: {Kind(kind).label}", credits]
    for environment, row in figures["receipts"].items():
        yield [f"receipts ({environment}): count", row["count"]]
        yield [f"receipts ({environment}): cents", row["amount_cents"]]
    yield ["digest of the month before", closed.previous_digest]
    yield ["digest", closed.digest]


def problems() -> Iterator[Problem]:
    """Check that closed months still say what the ledger says, and that their chain holds."""
    name = "closed months stay as they were"
    previous = ""
    for closed in _in_force().order_by("month"):
        subject = f"{closed.month:%Y-%m}"
        if closed.previous_digest != previous or closed.digest != digest_of(closed):
            yield Problem(name, subject, "its digest does not fit")
        if closed.figures != figures_of(closed.month):
            yield Problem(name, subject, "the ledger says something else by now")
        previous = closed.digest


def _in_force() -> QuerySet[MonthClose]:
    return MonthClose.objects.filter(reopened_at__isnull=True)


def _previous(month: date) -> MonthClose | None:
    """Give the month before, which must be closed if any earlier one is."""
    if _in_force().filter(month__gt=month).exists():
        raise CloseRefused("A later month is closed already.")
    latest = _in_force().order_by("-month").first()
    if latest is None or latest.month == month:
        return latest
    if _next_month(latest.month) != month:
        raise CloseRefused(f"Close {_next_month(latest.month):%Y-%m} first.")
    return latest


def _sums(transfers: QuerySet[Transfer]) -> dict[str, int]:
    rows = transfers.order_by().values_list("kind").annotate(credits=Sum("credits"))
    return {kind: int(credits) for kind, credits in sorted(rows)}


def _terms(by_kind: dict[str, int]) -> dict[str, int]:
    """Turn sums by kind into the terms of the equation, signed as they count in it."""
    terms = {term.value: 0 for term in Term}
    for kind, credits in by_kind.items():
        route = ROUTES[Kind(kind)]
        if route.term is not None:
            terms[route.term.value] += route.sign * credits
    return terms


def _start(month: date) -> datetime:
    return datetime.combine(month.replace(day=1), time.min, tzinfo=UTC)


def _end(month: date) -> datetime:
    return _start(_next_month(month))


def _next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _record(
    closed: MonthClose, action: str, user: User, reason: str, after: dict[str, Any] | None = None
) -> None:
    audit.record(
        user=user, action=action, subject=f"{closed.month:%Y-%m}", reason=reason, after=after
    )
