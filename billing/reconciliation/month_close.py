"""Closes months: figures are frozen, and chained to the month before by a digest.

Grants, consumption and reversals are added up from the month's own rows of the ledger; the opening
balance is the closing balance of the month before. Only the first month that is ever closed reads
older rows.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, QuerySet, Sum

from accounts import audit
from accounts.models import User
from billing.chart import ROUTES, Purpose, Term, TransferKind
from billing.ledger.checks import CheckedUpTo, LedgerProblem
from billing.models import Environment, MoneyDay, MonthClose, Receipt, Transfer
from billing.reconciliation import month_balances
from imageskill.lib import amounts, clock

# A transfer's timestamp is set before its commit; no transaction takes this long.
_SETTLES_AFTER = timedelta(minutes=10)


class MonthCloseRefused(Exception):
    """The month can't be closed or reopened; the message says why."""


class ReceiptTotals(NamedTuple):
    """The totals of one environment's receipts in a month."""

    environment: str
    number: int
    credits: int
    amount_cents: int

    @property
    def label(self) -> str:
        """The environment, for people."""
        return str(Environment(self.environment).label)


class MonthStatement(NamedTuple):
    """A month's figures with labels: opening + changes = closing, and their breakdown."""

    equation: list[tuple[str, int]]
    kinds: list[tuple[str, int]]
    receipts: list[ReceiptTotals]
    transfers: int
    columns: list[str]
    balances: list[month_balances.BalanceLine]
    deferred_cents: int | None  # paid and held credits at the end; None: closed before they were
    preview_cents: int | None


def preview(month: date) -> dict[str, Any]:
    """Return the figures that closing a month would freeze; raises MonthCloseRefused.

    Reads the month's own rows and no older ones; before the first close, the daily totals.
    """
    month = month.replace(day=1)
    _check_closable(month)
    return _figures(month, _opening(month, before=_daily_totals_before))


def close(*, month: date, user: User, reason: str, seen: str | None = None) -> MonthClose:
    """Close a month that is over, after the one before it; raises MonthCloseRefused.

    With the fingerprint of figures that were `seen`, it freezes those or nothing.
    """
    month = month.replace(day=1)
    previous = _check_closable(month)
    figures = calculate_figures(month)
    if seen is not None and seen != figures_fingerprint(figures):
        raise MonthCloseRefused(
            "The figures have changed since you opened this page. Review them again. If they keep "
            "changing, count the days before the first month with `manage.py tally --days`."
        )
    closed = MonthClose(
        month=month,
        version=MonthClose.objects.filter(month=month).count() + 1,
        figures=figures,
        previous_digest=previous.digest if previous else "",
        closed_by=user,
    )
    closed.digest = chain_digest(closed)
    try:
        with transaction.atomic():
            closed.save(force_insert=True)
            _record(closed, "month.close", user, reason, after=closed.figures)
    except IntegrityError:
        raise MonthCloseRefused("This month is closed already.") from None
    return closed


def request_reopen(*, closed: MonthClose, user: User, reason: str) -> None:
    """Request that a month be reopened; somebody else decides."""
    with transaction.atomic():
        changed = MonthClose.objects.filter(pk=closed.pk, reopened_at__isnull=True).update(
            reopen_asked_by=user, reopen_reason=reason
        )
        if not changed:
            raise MonthCloseRefused("This month is open.")
        _record(closed, "month.reopen_request", user, reason)


def reopen(*, closed: MonthClose, user: User, reason: str) -> None:
    """Reopen a month on somebody else's request; raises MonthCloseRefused. Later months come first.

    The audit log keeps both reasons.
    """
    with transaction.atomic():
        locked = MonthClose.objects.select_for_update(of=("self",)).get(pk=closed.pk)
        if locked.reopened_at is not None or locked.reopen_asked_by_id is None:
            raise MonthCloseRefused("No request to reopen this month is pending.")
        if locked.reopen_asked_by_id == user.pk:
            raise MonthCloseRefused("You can't approve your own request; a second person has to.")
        if _closed_months().filter(month__gt=locked.month).exists():
            raise MonthCloseRefused("A later month is closed; reopen that one first.")
        locked.reopened_by, locked.reopened_at = user, clock.now()
        locked.save(update_fields=["reopened_by", "reopened_at"])
        _record(locked, "month.reopen", user, reason)


def calculate_figures(month: date) -> dict[str, Any]:
    """Return a month's figures from the ledger: credits by term and kind, receipts."""
    return _figures(month, _opening(month, before=_ledger_totals_before))


def _figures(month: date, opening: dict[str, int]) -> dict[str, Any]:
    start, end = _start(month), _end(month)
    inside = Transfer.objects.filter(created_at__gte=start, created_at__lt=end)
    rows = list(
        inside.order_by()
        .values_list("kind")
        .annotate(credits=Sum("credits"), count=Count("id"), last=Max("id"))
    )
    by_kind = {kind: int(credits) for kind, credits, _, _ in sorted(rows)}
    terms = _terms(by_kind)
    opening_credits = _net(opening)
    receipts = Receipt.objects.filter(issued_at__gte=start, issued_at__lt=end)
    by_environment = receipts.values("environment").annotate(
        count=Count("id"), amount_cents=Sum("amount_cents"), credits=Sum("credits")
    )
    return {
        "month": month.strftime("%Y-%m"),
        "opening_credits": opening_credits,
        **terms,
        "closing_credits": opening_credits + sum(terms.values()),
        "by_kind": by_kind,
        "balances": month_balances.statement(opening, by_kind),
        "receipts": {row.pop("environment"): row for row in by_environment.order_by("environment")},
        "transfers": sum(count for _, _, count, _ in rows),
        "last_transfer_id": max((last for *_, last in rows), default=None),
    }


def figures_fingerprint(figures: dict[str, Any]) -> str:
    """Return a fingerprint, by which a page knows that figures changed since it was shown."""
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()[:32]


def build_statement(figures: dict[str, Any]) -> MonthStatement:
    """Return a month's figures with labels."""
    balances = figures.get("balances", {})
    closing = {name: cells[month_balances.CLOSING] for name, cells in balances.items()}
    return MonthStatement(
        equation=[
            ("Opening credits", figures["opening_credits"]),
            *((str(term.label), figures[term.value]) for term in Term),
            ("Closing credits", figures["closing_credits"]),
        ],
        kinds=[
            (str(TransferKind(kind).label), credits) for kind, credits in figures["by_kind"].items()
        ],
        receipts=[
            ReceiptTotals(environment, row["count"], row["credits"], row["amount_cents"])
            for environment, row in figures["receipts"].items()
        ],
        transfers=figures["transfers"],
        columns=[label for _, label in month_balances.COLUMNS],
        balances=month_balances.lines_of(balances),
        deferred_cents=closing[Purpose.PAID] + closing[Purpose.HELD] if closing else None,
        preview_cents=closing[Purpose.PREVIEW] if closing else None,
    )


def chain_digest(closed: MonthClose) -> str:
    """Return the hash of a month's figures and of the digest of the month before."""
    document = {
        "figures": closed.figures,
        "version": closed.version,
        "previous": closed.previous_digest,
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def export_rows(closed: MonthClose) -> Iterator[list[str | int | Decimal]]:
    """Return a closed month as rows for a file; amounts are in dollars."""
    month_statement = build_statement(closed.figures)
    yield ["month", closed.figures["month"]]
    for label, credits in month_statement.equation:
        yield [label, credits]
    for label, credits in month_statement.kinds:
        yield [f"transfers: {label}", credits]
    for row in month_statement.receipts:
        yield [f"receipts ({row.environment}): count", row.number]
        yield [f"receipts ({row.environment}): USD", amounts.from_cents(row.amount_cents)]
    for line in month_statement.balances:
        for column, credits in zip(month_statement.columns, line.cells, strict=True):
            yield [f"{line.label}: {column.lower()}", credits]
        yield [f"{line.label}: closing, USD", amounts.from_cents(line.closing)]
    if month_statement.deferred_cents is not None:
        deferred = amounts.from_cents(month_statement.deferred_cents)
        yield ["deferred revenue (paid and held credits), USD", deferred]
    yield ["digest of the month before", closed.previous_digest]
    yield ["digest", closed.digest]


def problems(since: CheckedUpTo | None = None) -> Iterator[LedgerProblem]:
    """Yield closed months that differ from the ledger, or whose digest doesn't match.

    With `since`, only the months that were closed after that are added up again.
    """
    name = "closed months are unchanged"
    previous = ""
    for closed in _closed_months().order_by("month"):
        subject = f"{closed.month:%Y-%m}"
        if closed.previous_digest != previous or closed.digest != chain_digest(closed):
            yield LedgerProblem(name, subject, "its digest does not match")
        if since is None or closed.closed_at >= since.at:
            # Months that were closed before balances were frozen by kind have none to compare.
            figures = calculate_figures(closed.month)
            if closed.figures != {name: figures[name] for name in closed.figures}:
                yield LedgerProblem(name, subject, "its figures differ from the ledger")
        previous = closed.digest


def _closed_months() -> QuerySet[MonthClose]:
    return MonthClose.objects.filter(reopened_at__isnull=True)


def _check_closable(month: date) -> MonthClose | None:
    """Return the month before, which must be closed if any earlier one is."""
    if clock.now() < _end(month) + _SETTLES_AFTER:
        closable_at = _end(month) + _SETTLES_AFTER
        raise MonthCloseRefused(
            f"This month can be closed from {closable_at:%b %-d, %Y %H:%M} UTC."
        )
    if _closed_months().filter(month=month).exists():
        raise MonthCloseRefused("This month is closed already.")
    if _closed_months().filter(month__gt=month).exists():
        raise MonthCloseRefused("A later month is closed already.")
    latest = _closed_months().order_by("-month").first()
    if latest is not None and _next_month(latest.month) != month:
        raise MonthCloseRefused(f"Close {_next_month(latest.month):%Y-%m} first.")
    return latest


def _opening(month: date, *, before: Callable[[date], dict[str, int]]) -> dict[str, int]:
    """Return the closing balances of the month before; without them, the sums of all `before`."""
    latest = _closed_months().filter(month__lt=month).order_by("-month").first()
    if latest is not None and _next_month(latest.month) == month and "balances" in latest.figures:
        return {
            purpose: cells[month_balances.CLOSING]
            for purpose, cells in latest.figures["balances"].items()
        }
    return month_balances.balances(before(month))


def _net(balances: dict[str, int]) -> int:
    """Return what organizations have in all: a debt is subtracted."""
    owed = balances[Purpose.OWED.value]
    return sum(balances.values()) - 2 * owed


def _ledger_totals_before(month: date) -> dict[str, int]:
    """Return the ledger's sums by kind before a month; reads the whole history."""
    rows = Transfer.objects.filter(created_at__lt=_start(month)).order_by().values_list("kind")
    return {kind: int(credits) for kind, credits in rows.annotate(Sum("credits"))}


def _daily_totals_before(month: date) -> dict[str, int]:
    """Return the daily totals' sums by kind before a month."""
    days = MoneyDay.objects.filter(day__lt=month).exclude(name=MoneyDay.RECEIPTS)
    return dict(days.order_by().values_list("name").annotate(Sum("credits")))


def _terms(by_kind: dict[str, int]) -> dict[str, int]:
    """Return the terms of the equation from sums by kind, with their signs."""
    terms = {term.value: 0 for term in Term}
    for kind, credits in by_kind.items():
        route = ROUTES[TransferKind(kind)]
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
