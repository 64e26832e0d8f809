"""Home: the console's first page, with only what the user's permissions show.

First Needs attention, then Overview. Every figure links to the rows behind it; figures of the
past come from the daily totals, never from scanning history.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from imageskill.console import links
from imageskill.console.finance import tables
from imageskill.console.finance.tables import WorkTotals
from imageskill.console.home import needs_attention, overview, trends
from imageskill.lib import clock
from jobs.models import Job, ModelDay

_ALL = "all"


def add_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of the index page what the user may see."""
    rows = trends.load_totals() if links.may_see(request, Job) else []
    work = _work() if request.user.has_perm("accounts.see_ledger") else None
    today = trends.todays_totals(rows)
    sections = [
        ("Needs attention", needs_attention.build_cards(request)),
        ("Overview", overview.build_cards(request, today, _sum_days(work))),
    ]
    context.update(
        sections=[(title, cards) for title, cards in sections if cards],
        charts=_charts(request, rows, work),
        **_models(request, rows, today),
    )
    return context


def _charts(
    request: HttpRequest, rows: list[ModelDay], work: list[WorkTotals] | None
) -> list[trends.Chart]:
    charts = trends.job_charts(rows) if links.may_see(request, Job) else []
    return charts if work is None else [*charts, *trends.money_charts(work)]


def _models(request: HttpRequest, rows: list[ModelDay], today: list[ModelDay]) -> dict[str, Any]:
    """Return the tables of the busiest models and a link to all, or of all if `models=all`."""
    names = trends.busiest(rows)
    few = None if request.GET.get("models") == _ALL else trends.FEW_MODELS
    return {
        "models": today[:few],
        "tables": trends.model_tables(rows, names[:few]) if names else [],
        "models_hidden": max(len(names[few:]), len(today[few:])) if few else 0,
        "models_shown": few,
        "every_model_url": reverse("admin:index", query={"models": _ALL}) + "#models",
    }


def _work() -> list[WorkTotals]:
    first = clock.utc_day(clock.now()) - timedelta(days=overview.SOLD_DAYS - 1)
    return tables.totals_by("day", since=first, scope=tables.default_scope())


def _sum_days(days: list[WorkTotals] | None) -> WorkTotals | None:
    """Return the sum of the days; None where the user may not see them."""
    if days is None:
        return None
    return WorkTotals(
        "all",
        *(sum(getattr(day, name) for day in days) for name in WorkTotals._fields[1:5]),
        *(sum((getattr(day, name) for day in days), Decimal(0)) for name in WorkTotals._fields[5:]),
    )
