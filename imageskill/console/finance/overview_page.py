"""Financial overview: sales, deferred revenue; revenue, cost and margin of any period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.request_user import request_user
from billing.chart import Purpose
from billing.ledger import daily_totals
from billing.ledger import totals as ledger_totals
from imageskill.console import charts, exporting
from imageskill.console.charts import Bar
from imageskill.console.finance import periods, tables
from imageskill.console.finance.periods import Period
from imageskill.console.finance.tables import FinancialTable, Scope, WorkTotals
from imageskill.lib import amounts, clock
from imageskill.lib.admin import exports

_MAX_BARS = 92
_EXPORT = "accounts.export"
_FIGURES = (("Revenue", "revenue"), ("Provider cost", "cost"), ("Margin", "margin"))


@dataclass(frozen=True, slots=True)
class HeadlineFigure:
    """One number at the top of the page, what it was in the period before, and its rows' URL."""

    label: str
    number: str
    url: str
    former: str = ""  # in the period before
    as_of: datetime | None = None  # when it was counted, where that was not now


@dataclass(frozen=True, slots=True)
class BarChart:
    """A horizontal chart: for each name a bar of revenue, of cost and of margin."""

    title: str
    rows: list[tuple[str, list[Bar]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for: a period, and whose money."""

    period: Period
    scope: Scope
    refusal: str = ""

    @property
    def query(self) -> str:
        """The query of a link to the same."""
        return f"{self.period.query}&scope={self.scope}"

    def totals_by(self, field: str) -> list[WorkTotals]:
        """Return the totals of jobs by a column."""
        period = self.period
        return tables.totals_by(field, since=period.first, until=period.last, scope=self.scope)


def view(request: HttpRequest) -> HttpResponse:
    """Show the figures, charts and tables of a period, with the tables' files."""
    _require_access(request)
    asked = _parse(request)
    can_export = request.user.has_perm(_EXPORT)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Financial overview",
        "asked": asked,
        "before": periods.before(asked.period),
        "recent": periods.recent(today=clock.utc_day(clock.now())),
        "scopes": Scope,
        "figures": _figures(asked),
        "charts": _daily_bars(asked),
        "bar_charts": [
            _bar_chart("By provider", asked.totals_by("provider_id")),
            _bar_chart("By model", asked.totals_by("model_id")),
        ],
        "tables": [
            (table, _download_links(table.name, asked) if can_export else [])
            for table in _tables(asked)
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
    asked = _parse(request)
    found = {one.name: one for one in _tables(asked)}.get(table)
    if found is None or kind not in exports.FORMATS or asked.refusal:
        raise Http404
    exporting.record_download(
        user=request_user(request),
        model=f"position.{table}",  # a stored name: earlier audit lines have it
        query=asked.query,
        kind=kind,
        rows=len(found.rows),
        is_exact=True,
    )
    return exports.file_response(
        f"financial-overview-{table}-{asked.period.first}-to-{asked.period.last}",
        kind,
        [column.file_heading for column in found.columns],
        found.file_rows,
        title=found.title,
    )


def _require_access(request: HttpRequest) -> None:
    if not request.user.has_perm("accounts.see_ledger"):
        raise PermissionDenied


def _parse(request: HttpRequest) -> Asked:
    """Read the period and the scope; what can't be read is said, and the default is shown."""
    today = clock.utc_day(clock.now())
    scope = request.GET.get("scope", "")
    chosen = Scope(scope) if scope in Scope.values else tables.default_scope()
    try:
        return Asked(periods.parse(request.GET, today=today), chosen)
    except periods.InvalidPeriod as refusal:
        default = periods.last_days(str(periods.DEFAULT_DAYS), today=today)
        return Asked(default, chosen, str(refusal))


def _tables(asked: Asked) -> list[FinancialTable]:
    period = asked.period
    return tables.all_tables(since=period.first, until=period.last, scope=asked.scope)


def _download_links(table: str, asked: Asked) -> list[tuple[str, str]]:
    return [
        (
            kind.upper(),
            reverse("admin:console_financial_overview_file", args=[table, kind])
            + f"?{asked.query}",
        )
        for kind in exports.FORMATS
    ]


def _figures(asked: Asked) -> list[HeadlineFigure]:
    """Return the period's figures beside those of the period before."""
    now, former = (_summary(asked, one) for one in (asked.period, periods.before(asked.period)))
    urls = {
        "gross sales": _receipts_url(asked),
        "refunds": _reversals_url("refund"),
        "disputes": _reversals_url("dispute"),
        "net sales": _receipts_url(asked),
    }
    figures = [
        HeadlineFigure(label, number, urls.get(label, _list_url("transfer")), former[label])
        for label, number in now.items()
    ]
    return [*figures, *_liabilities(asked.period)]


def _summary(asked: Asked, period: Period) -> dict[str, str]:
    movements = ledger_totals.movements_between(period.first, period.last)
    sold = ledger_totals.sales(movements, environments=asked.scope.environments)
    days = tables.totals_by("day", since=period.first, until=period.last, scope=asked.scope)
    cost = sum((day.cost + day.lost for day in days), Decimal(0))
    spent = ledger_totals.summarize(movements)
    return {
        "gross sales": amounts.format_amount(sold.gross_cents),
        "refunds": amounts.format_amount(-sold.refunded_cents),
        "disputes": amounts.format_amount(-sold.disputed_cents),
        "net sales": amounts.format_amount(sold.net_cents),
        "revenue (paid credits consumed)": tables.format_usd(sum(day.revenue for day in days)),
        "provider cost and losses": tables.format_usd(cost),
        "margin": tables.format_usd(sum(day.margin for day in days)),
        "credits consumed, all environments": f"{spent.spent:,}",
        "credits absorbed: debts written off, disputes lost": f"{spent.absorbed:,}",
    }


def _liabilities(period: Period) -> list[HeadlineFigure]:
    """Return deferred revenue at the end of the period, and free credits apart from it."""
    totals = daily_totals.wallet_totals()
    today = clock.utc_day(clock.now())
    last = min(period.last, today)
    balances = totals.credits
    if last < today:
        balances = ledger_totals.balances_after(last, now=totals.credits)
    deferred = balances[Purpose.PAID] + balances[Purpose.HELD]
    preview, wallets = balances[Purpose.PREVIEW], _list_url("wallet")
    as_of = totals.counted_at if last == today else None
    day = f"{last:%b} {last.day}, {last.year}"
    counted = f"at the end of {day}" if totals.counted_at else "not counted yet"
    return [
        HeadlineFigure(
            f"deferred revenue {counted}: {deferred:,} credits, paid and held, all environments",
            amounts.format_amount(deferred),
            f"{wallets}?purpose__exact=paid",
            as_of=as_of,
        ),
        HeadlineFigure(
            f"preview credits {counted}: {preview:,} credits that nobody paid for",
            amounts.format_amount(preview),
            f"{wallets}?purpose__exact=preview",
            as_of=as_of,
        ),
    ]


def _receipts_url(asked: Asked) -> str:
    return f"{_list_url('receipt')}?environment__in={','.join(sorted(asked.scope.environments))}"


def _list_url(model: str) -> str:
    return reverse(f"admin:billing_{model}_changelist")


def _reversals_url(kind: str) -> str:
    return f"{_list_url('paymentreversal')}?kind__exact={kind}"


def _daily_bars(asked: Asked) -> list[tuple[str, list[Bar]]]:
    """Return the charts of revenue, cost and margin by day, of at most the latest days."""
    last = min(asked.period.last, clock.utc_day(clock.now()))
    first = max(asked.period.first, last - timedelta(days=_MAX_BARS - 1))
    totals = {row.name: row for row in asked.totals_by("day")}
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
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
