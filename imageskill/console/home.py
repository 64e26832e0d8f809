"""Today: the console's first page, with only what this person's duties show.

First what needs somebody, then how it goes. Every figure is a link to the rows behind it; what
lies in the past comes from the figures by day, never from scanning history.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from imageskill.console import financial_tables, needs_attention, overview, stat_cards, trends
from imageskill.console.financial_tables import Work
from imageskill.lib import clock
from jobs.models import Job, ModelDay

_EVERY = "all"


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of the index page what this person may see."""
    rows = trends.figures() if stat_cards.may_see(request, Job) else []
    work = _work() if request.user.has_perm("accounts.see_ledger") else None
    today = trends.of_today(rows)
    sections = [
        ("Needs somebody", needs_attention.shown(request)),
        ("How it goes", overview.shown(request, today, _together(work))),
    ]
    context.update(
        sections=[(title, found) for title, found in sections if found],
        charts=_charts(request, rows, work),
        **_models(request, rows, today),
    )
    return context


def _charts(
    request: HttpRequest, rows: list[ModelDay], work: list[Work] | None
) -> list[trends.Chart]:
    found = trends.of_work(rows) if stat_cards.may_see(request, Job) else []
    return found if work is None else [*found, *trends.of_money(work)]


def _models(request: HttpRequest, rows: list[ModelDay], today: list[ModelDay]) -> dict[str, Any]:
    """Give the models' tables: the busiest few, and the way to all, or all if that was asked."""
    names = trends.busiest(rows)
    few = None if request.GET.get("models") == _EVERY else trends.FEW_MODELS
    return {
        "models": today[:few],
        "tables": trends.by_model(rows, names[:few]) if names else [],
        "models_hidden": max(len(names[few:]), len(today[few:])) if few else 0,
        "models_shown": few,
        "every_model_url": reverse("admin:index", query={"models": _EVERY}) + "#models",
    }


def _work() -> list[Work]:
    first = clock.utc_day(clock.now()) - timedelta(days=overview.SOLD_DAYS - 1)
    return financial_tables.work_by("day", since=first)


def _together(days: list[Work] | None) -> Work | None:
    """Add the days up; None where they are not to be seen."""
    if days is None:
        return None
    return Work(
        "all",
        *(sum(getattr(day, name) for day in days) for name in Work._fields[1:5]),
        *(sum((getattr(day, name) for day in days), Decimal(0)) for name in Work._fields[5:]),
    )
