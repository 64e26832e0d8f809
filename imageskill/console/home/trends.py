"""Charts and tables by day and by model, from the daily totals alone."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Sum
from django.urls import reverse

from billing.models import MoneyDay, Transfer
from imageskill.console import links
from imageskill.console.charts import Bar, bars, day_label
from imageskill.console.finance.tables import WorkTotals
from imageskill.console.home.overview import ended_query
from imageskill.lib import clock
from jobs import states
from jobs.models import Job, ModelDay

CHART_DAYS = 14
TABLE_DAYS = 7
FEW_MODELS = 12  # shown first; the rest on request


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar for each day, and the URL of the rows that they count."""

    title: str
    bars: list[Bar]
    url: str


@dataclass(frozen=True, slots=True)
class TrendCell:
    """A model's figure of one day, with the URL of its rows, if there are any."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class TrendTable:
    """A row for each model, a column for each day."""

    title: str
    days: list[str]
    rows: list[tuple[str, list[TrendCell]]]


def load_totals() -> list[ModelDay]:
    """Return each model's totals of the days that charts show."""
    return list(ModelDay.objects.filter(day__gte=_days(CHART_DAYS)[0]))


def todays_totals(rows: Iterable[ModelDay]) -> list[ModelDay]:
    """Return today's totals, the most used model first."""
    today = clock.utc_day(clock.now())
    return sorted((row for row in rows if row.day == today), key=lambda row: -row.completed)


def busiest(rows: Iterable[ModelDay]) -> list[str]:
    """Return the models of these totals, the busiest first."""
    ended: dict[str, int] = defaultdict(int)
    for row in rows:
        ended[row.model_id] += row.completed + row.failed
    return sorted(ended, key=lambda name: (-ended[name], name))


def job_charts(rows: Sequence[ModelDay]) -> list[Chart]:
    """Return the charts of ended jobs and of the failure rate, by day."""
    completed, failed = _by_day(rows, "completed"), _by_day(rows, "failed")
    rates = [
        (day, _percent(bad, good + bad))
        for (day, good), (_, bad) in zip(completed, failed, strict=True)
    ]
    done, not_done = _ended_url(states.COMPLETED), _ended_url(states.FAILED)
    return [
        Chart("Completed jobs by day", bars(completed), done),
        Chart("Failed jobs by day", bars(failed), not_done),
        Chart("Failure rate by day", bars(rates, unit="%"), not_done),
    ]


def money_charts(work: Sequence[WorkTotals]) -> list[Chart]:
    """Return the charts of credits spent and of the margin, by day."""
    days = _days(CHART_DAYS)
    spent = dict(
        MoneyDay.objects.filter(day__gte=days[0], name="capture")
        .values_list("day")
        .annotate(Sum("credits"))
        .order_by()
    )
    margins = {one.name: one.margin for one in work}
    captures = {"kind__exact": "capture", "created_at__gte": f"{days[0]}T00:00Z"}
    return [
        Chart(
            "Credits spent by day",
            bars([(day_label(day), spent.get(day, 0)) for day in days]),
            links.list_url(Transfer, captures),
        ),
        Chart(
            "Margin by day",
            bars([(day_label(day), margins.get(day, Decimal(0))) for day in days], unit="USD"),
            reverse("admin:console_financial_overview", query={"days": CHART_DAYS}),
        ),
    ]


def model_tables(rows: Sequence[ModelDay], models: Sequence[str]) -> list[TrendTable]:
    """Return the failure rate and the generation time of each model and day."""
    return [
        _table("Failure rate by model and day", rows, models, _failure_cell),
        _table("Generation time (s), p50 / p95, by model and day", rows, models, _duration_cell),
    ]


def _table(
    title: str,
    rows: Sequence[ModelDay],
    models: Sequence[str],
    cell: Callable[[ModelDay], TrendCell],
) -> TrendTable:
    days = _days(TABLE_DAYS)
    found = {(row.model_id, row.day): cell(row) for row in rows}
    nothing = TrendCell("–")
    return TrendTable(
        title,
        [day_label(day) for day in days],
        [(model, [found.get((model, day), nothing) for day in days]) for model in models],
    )


def _failure_cell(row: ModelDay) -> TrendCell:
    ended = row.completed + row.failed
    if not ended:
        return TrendCell("–")
    text = f"{_percent(row.failed, ended)}%"
    return TrendCell(text, _jobs_url(row, states.FAILED) if row.failed else "")


def _duration_cell(row: ModelDay) -> TrendCell:
    if row.median_s is None or row.p95_s is None:
        return TrendCell("–")
    return TrendCell(f"{row.median_s:.1f} / {row.p95_s:.1f}", _jobs_url(row, states.COMPLETED))


def _jobs_url(row: ModelDay, state: str) -> str:
    query = ended_query(state, row.day, row.day + timedelta(days=1), model_id=row.model_id)
    return links.list_url(Job, query)


def _ended_url(state: str) -> str:
    return links.list_url(Job, ended_query(state, _days(CHART_DAYS)[0]))


def _by_day(rows: Iterable[ModelDay], name: str) -> list[tuple[str, int]]:
    sums: dict[date, int] = defaultdict(int)
    for row in rows:
        sums[row.day] += getattr(row, name)
    return [(day_label(day), sums[day]) for day in _days(CHART_DAYS)]


def _percent(part: int, whole: int) -> Decimal:
    return round(Decimal(100 * part) / whole, 1) if whole else Decimal(0)


def _days(number: int) -> list[date]:
    today = clock.utc_day(clock.now())
    return [today - timedelta(days=back) for back in range(number - 1, -1, -1)]
