"""Position: credits sold, spent and outstanding; revenue, cost and margin by day and model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.request_user import me
from billing.ledger import daily_totals
from billing.ledger import totals as turnover
from billing.models import Environment
from imageskill.console import charts, exporting, financial_tables
from imageskill.console.charts import Bar
from imageskill.console.financial_tables import Work
from imageskill.lib import amounts, clock
from imageskill.lib.admin import exports

_DEFAULT_DAYS = 30
_MOST_DAYS = 3660
_MOST_BARS = 92
_EXPORT = "accounts.export"
_FIGURES = (("Revenue", "revenue"), ("Provider cost", "cost"), ("Margin", "margin"))


@dataclass(frozen=True, slots=True)
class Figure:
    """One number at the top of the page, and where it comes from."""

    label: str
    number: str
    url: str


@dataclass(frozen=True, slots=True)
class Lines:
    """A chart on its side: for each name a bar of revenue, of cost and of margin."""

    title: str
    rows: list[tuple[str, list[Bar]]]


def view(request: HttpRequest) -> HttpResponse:
    """Show the position over the last days: figures, charts, and tables with their files."""
    _check_seen(request)
    days = _days(request)
    since = _since(days)
    can_export = request.user.has_perm(_EXPORT)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Position",
        "days": days,
        "figures": _figures(since),
        "charts": _by_day(since),
        "lines": [
            _lines("By provider", financial_tables.work_by("provider_id", since=since)),
            _lines("By model", financial_tables.work_by("model_id", since=since)),
        ],
        "tables": [
            (table, _files(table.name, days) if can_export else [])
            for table in financial_tables.every(since=since)
        ],
        "labels": [label for label, _ in _FIGURES],
        "target": f"{Decimal(settings.TARGET_GROSS_MARGIN):.0%}",
    }
    return TemplateResponse(request, "admin/console/financial_overview.html", context)


def download(request: HttpRequest, table: str, kind: str) -> HttpResponse:
    """Give one table as it stands, as CSV or XLSX."""
    _check_seen(request)
    if not request.user.has_perm(_EXPORT):
        raise PermissionDenied
    days = _days(request)
    found = {one.name: one for one in financial_tables.every(since=_since(days))}.get(table)
    if found is None or kind not in exports.KINDS:
        raise Http404
    exporting.note(
        user=me(request),
        model=f"position.{table}",
        query=f"days={days}",
        kind=kind,
        rows=len(found.rows),
        is_exact=True,
    )
    return exports.as_file(
        f"position-{table}-{days}-days",
        kind,
        [column.name for column in found.columns],
        found.rows,
    )


def _check_seen(request: HttpRequest) -> None:
    if not request.user.has_perm("accounts.see_ledger"):
        raise PermissionDenied


def _days(request: HttpRequest) -> int:
    text = request.GET.get("days", "")
    if not (text.isascii() and text.isdigit() and int(text)):
        return _DEFAULT_DAYS
    return min(int(text), _MOST_DAYS)


def _since(days: int) -> date:
    return clock.utc_day(clock.now()) - timedelta(days=days - 1)


def _files(table: str, days: int) -> list[tuple[str, str]]:
    return [
        (kind.upper(), reverse("admin:console_position_file", args=[table, kind]) + f"?days={days}")
        for kind in exports.KINDS
    ]


def _figures(since: date) -> list[Figure]:
    """Give the figures of the days, and the liability as it was last counted."""
    came_to = turnover.of(turnover.since(since))
    totals = daily_totals.wallet_totals()
    transfers, wallets = _list("transfer"), _list("wallet")
    as_of = f"{totals.counted_at:%Y-%m-%d %H:%M} UTC" if totals.counted_at else "never counted"
    return [
        *(_sold(one) for one in came_to.sold),
        Figure("credits spent", f"{came_to.spent:,}", f"{transfers}?kind__exact=capture"),
        Figure(
            f"credits outstanding (a liability): paid and held, {as_of}",
            f"{totals.outstanding:,}",
            f"{wallets}?purpose__exact=paid",
        ),
        Figure("credits refunded", f"{came_to.refunded:,}", _reversals("refund")),
        Figure("credits disputed", f"{came_to.disputed:,}", _reversals("dispute")),
        Figure(
            "credits absorbed: debts written off, disputes lost",
            f"{came_to.absorbed:,}",
            f"{wallets}?purpose__exact=losses",
        ),
    ]


def _sold(sold: turnover.Sold) -> Figure:
    is_live = sold.environment == Environment.LIVE
    what = "live" if is_live else f"{Environment(sold.environment).label}, no revenue"
    return Figure(
        f"credits sold for {amounts.written(sold.amount_cents)} ({what})",
        f"{sold.credits:,}",
        f"{_list('receipt')}?environment__exact={sold.environment}",
    )


def _list(model: str) -> str:
    return reverse(f"admin:billing_{model}_changelist")


def _reversals(kind: str) -> str:
    return f"{_list('paymentreversal')}?kind__exact={kind}"


def _by_day(since: date) -> list[tuple[str, list[Bar]]]:
    """Draw revenue, cost and margin by day; of many days, the latest."""
    today = clock.utc_day(clock.now())
    first = max(since, today - timedelta(days=_MOST_BARS - 1))
    found = {row.name: row for row in financial_tables.work_by("day", since=first)}
    days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    return [
        (
            f"{title} by day",
            charts.bars(
                [(f"{day:%m-%d}", _amount(found.get(day), field)) for day in days], unit="USD"
            ),
        )
        for title, field in _FIGURES
    ]


def _lines(title: str, rows: Sequence[Work]) -> Lines:
    """Draw revenue, cost and margin of each name, all to one scale."""
    found = [
        (row.name, [(label, _amount(row, field)) for label, field in _FIGURES]) for row in rows
    ]
    every = [value for _, values in found for _, value in values]
    highest, lowest = max(every, default=Decimal(0)), min(every, default=Decimal(0))
    return Lines(
        title,
        [
            (
                name,
                [
                    charts.bar(label, value, lowest=lowest, highest=highest, unit="USD")
                    for label, value in values
                ],
            )
            for name, values in found
        ],
    )


def _amount(row: Work | None, field: str) -> Decimal:
    return Decimal(0) if row is None else Decimal(getattr(row, field)).quantize(Decimal("0.01"))
