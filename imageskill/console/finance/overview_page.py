"""Financial overview: sales, deferred revenue; revenue, cost and margin by day and model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.request_user import request_user
from billing.ledger import daily_totals
from billing.ledger import totals as ledger_totals
from billing.models import Environment
from imageskill.console import charts, exporting
from imageskill.console.charts import Bar
from imageskill.console.finance import tables
from imageskill.console.finance.tables import WorkTotals
from imageskill.lib import amounts, clock
from imageskill.lib.admin import exports

_DEFAULT_DAYS = 30
_MAX_DAYS = 3660
_MAX_BARS = 92
_EXPORT = "accounts.export"
_FIGURES = (("Revenue", "revenue"), ("Provider cost", "cost"), ("Margin", "margin"))


@dataclass(frozen=True, slots=True)
class HeadlineFigure:
    """One number at the top of the page, and the URL of its rows."""

    label: str
    number: str
    url: str
    as_of: datetime | None = None  # when it was counted, where that was not now


@dataclass(frozen=True, slots=True)
class BarChart:
    """A horizontal chart: for each name a bar of revenue, of cost and of margin."""

    title: str
    rows: list[tuple[str, list[Bar]]]


def view(request: HttpRequest) -> HttpResponse:
    """Show the figures, charts and tables of the last days, with the tables' files."""
    _require_access(request)
    days = _parse_days(request)
    since = _since(days)
    can_export = request.user.has_perm(_EXPORT)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Financial overview",
        "days": days,
        "figures": _figures(since),
        "charts": _daily_bars(since),
        "bar_charts": [
            _bar_chart("By provider", tables.totals_by("provider_id", since=since)),
            _bar_chart("By model", tables.totals_by("model_id", since=since)),
        ],
        "tables": [
            (table, _download_links(table.name, days) if can_export else [])
            for table in tables.all_tables(since=since)
        ],
        "labels": [label for label, _ in _FIGURES],
        "target": f"{Decimal(settings.TARGET_GROSS_MARGIN):.0%}",
    }
    return TemplateResponse(request, "admin/console/financial_overview.html", context)


def download(request: HttpRequest, table: str, kind: str) -> HttpResponseBase:
    """Return one table as it stands, as CSV or XLSX."""
    _require_access(request)
    if not request.user.has_perm(_EXPORT):
        raise PermissionDenied
    days = _parse_days(request)
    found = {one.name: one for one in tables.all_tables(since=_since(days))}.get(table)
    if found is None or kind not in exports.FORMATS:
        raise Http404
    exporting.record_download(
        user=request_user(request),
        model=f"position.{table}",  # a stored name: earlier audit lines have it
        query=f"days={days}",
        kind=kind,
        rows=len(found.rows),
        is_exact=True,
    )
    return exports.file_response(
        f"financial-overview-{table}-{days}-days",
        kind,
        [column.name for column in found.columns],
        found.rows,
    )


def _require_access(request: HttpRequest) -> None:
    if not request.user.has_perm("accounts.see_ledger"):
        raise PermissionDenied


def _parse_days(request: HttpRequest) -> int:
    text = request.GET.get("days", "")
    if not (text.isascii() and text.isdigit() and int(text)):
        return _DEFAULT_DAYS
    return min(int(text), _MAX_DAYS)


def _since(days: int) -> date:
    return clock.utc_day(clock.now()) - timedelta(days=days - 1)


def _download_links(table: str, days: int) -> list[tuple[str, str]]:
    return [
        (
            kind.upper(),
            reverse("admin:console_financial_overview_file", args=[table, kind]) + f"?days={days}",
        )
        for kind in exports.FORMATS
    ]


def _figures(since: date) -> list[HeadlineFigure]:
    """Return the figures of the days, and deferred revenue as it was last counted."""
    summary = ledger_totals.summarize(ledger_totals.movements_since(since))
    totals = daily_totals.wallet_totals()
    transfers, wallets = _list_url("transfer"), _list_url("wallet")
    usd = amounts.format_amount(totals.outstanding)
    return [
        *(_sold_figure(one) for one in summary.sold),
        HeadlineFigure("credits spent", f"{summary.spent:,}", f"{transfers}?kind__exact=capture"),
        HeadlineFigure(
            f"credits of deferred revenue ({usd}), paid and held"
            if totals.counted_at
            else "credits of deferred revenue, not counted yet",
            f"{totals.outstanding:,}",
            f"{wallets}?purpose__exact=paid",
            totals.counted_at,
        ),
        HeadlineFigure("credits refunded", f"{summary.refunded:,}", _reversals_url("refund")),
        HeadlineFigure("credits disputed", f"{summary.disputed:,}", _reversals_url("dispute")),
        HeadlineFigure(
            "credits absorbed: debts written off, disputes lost",
            f"{summary.absorbed:,}",
            f"{wallets}?purpose__exact=losses",
        ),
    ]


def _sold_figure(sold: ledger_totals.SalesTotal) -> HeadlineFigure:
    is_live = sold.environment == Environment.LIVE
    kind = "live" if is_live else f"{Environment(sold.environment).label.lower()}, no revenue"
    return HeadlineFigure(
        f"gross sales ({kind}), {sold.credits:,} credits",
        amounts.format_amount(sold.amount_cents),
        f"{_list_url('receipt')}?environment__exact={sold.environment}",
    )


def _list_url(model: str) -> str:
    return reverse(f"admin:billing_{model}_changelist")


def _reversals_url(kind: str) -> str:
    return f"{_list_url('paymentreversal')}?kind__exact={kind}"


def _daily_bars(since: date) -> list[tuple[str, list[Bar]]]:
    """Return the charts of revenue, cost and margin by day, of at most the latest days."""
    today = clock.utc_day(clock.now())
    first = max(since, today - timedelta(days=_MAX_BARS - 1))
    totals = {row.name: row for row in tables.totals_by("day", since=first)}
    days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    return [
        (
            f"{title} by day",
            charts.bars(
                [(charts.day_label(day), _amount(totals.get(day), field)) for day in days],
                unit="USD",
            ),
        )
        for title, field in _FIGURES
    ]


def _bar_chart(title: str, rows: Sequence[WorkTotals]) -> BarChart:
    """Return the chart of revenue, cost and margin of each name, all to one scale."""
    found = [
        (row.name, [(label, _amount(row, field)) for label, field in _FIGURES]) for row in rows
    ]
    every = [value for _, values in found for _, value in values]
    highest, lowest = max(every, default=Decimal(0)), min(every, default=Decimal(0))
    return BarChart(
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


def _amount(row: WorkTotals | None, field: str) -> Decimal:
    return Decimal(0) if row is None else Decimal(getattr(row, field)).quantize(Decimal("0.01"))
