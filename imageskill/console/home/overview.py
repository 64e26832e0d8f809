"""The overview: jobs by state, today's totals, sales, margin, and the last ledger check.

Ended jobs come from the daily totals, which a task counts every five minutes.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.chart import Purpose
from billing.ledger import daily_totals
from billing.models import BooksCheck, MoneyDay, Receipt, ReconciledDay, Wallet
from feedback.models import QueueItem
from feedback.states import QueueState
from imageskill.console import charts, links
from imageskill.console.finance import tables
from imageskill.console.finance.tables import WorkTotals
from imageskill.console.home import stat_cards
from imageskill.console.home.stat_cards import AMBER, GREEN, RED, RowCounter, StatCard
from imageskill.lib import amounts, clock
from jobs import states
from jobs.models import Job

SOLD_DAYS = 30
_MAX_FAILURE_RATE = 0.1  # of the day's jobs, before the figure turns red
_FRESHNESS = timedelta(hours=36)  # reconciliation runs once a day


def _jobs_in_status(state: str) -> RowCounter:
    return RowCounter(
        f"{state.capitalize()} jobs",
        lambda: Job.objects.filter(status=state),
        {"status__exact": state},
    )


COUNTERS = (
    *(_jobs_in_status(state) for state in states.OPEN),
    RowCounter(
        "Queued for GitHub",
        lambda: QueueItem.objects.filter(state=QueueState.QUEUED),
        {"state__exact": "queued"},
    ),
)


def build_cards(
    request: HttpRequest, today: list[Any], margin: WorkTotals | None
) -> list[StatCard]:
    """Return the cards that the user may see; `today` has a row for each model."""
    cards = stat_cards.build_cards(request, COUNTERS)
    if links.may_see(request, Job):
        cards += _ended_cards(today)
    if request.user.has_perm("accounts.see_ledger"):
        cards += [
            _deferred_revenue_card(),
            _sales_card(),
            *_margin_cards(margin),
            _ledger_check_card(),
            _reconciliation_card(),
        ]
    return cards


def ended_query(state: str, first: date, until: date | None = None, **more: str) -> dict[str, str]:
    """Return the filter of the list of jobs for those that the daily totals count.

    Uploads have no model, so no total counts them.
    """
    query = {"status__exact": state, "operation__in": "create,edit", **more}
    query["completed_at__gte"] = f"{first}"
    return query if until is None else {**query, "completed_at__lt": f"{until}"}


def _ended_cards(today: list[Any]) -> Iterator[StatCard]:
    done, failed, canceled = (
        sum(getattr(row, name) for row in today) for name in ("completed", "failed", "canceled")
    )
    rate = failed / (done + failed) if done + failed else 0
    first = clock.utc_day(clock.now())
    for label, state, number, tone in (
        ("Completed today", states.COMPLETED, done, GREEN),
        (
            f"Failed today, failure rate {rate:.1%}",
            states.FAILED,
            failed,
            RED if rate > _MAX_FAILURE_RATE else GREEN,
        ),
        ("Canceled today", states.CANCELED, canceled, ""),
    ):
        yield StatCard(label, f"{number:,}", links.list_url(Job, ended_query(state, first)), tone)


def _deferred_revenue_card() -> StatCard:
    totals = daily_totals.wallet_totals()
    usd = amounts.format_amount(totals.outstanding)  # a credit is sold for a cent
    return StatCard(
        f"Deferred revenue, {usd}" if totals.counted_at else "Deferred revenue, not counted yet",
        f"{totals.outstanding:,} credits",
        links.list_url(Wallet, {"purpose__in": f"{Purpose.PAID},{Purpose.HELD}"}),
        as_of=totals.counted_at,
    )


def _sales_card() -> StatCard:
    """Return sales of live money, or of test money that says so: the margin is of the same."""
    first = clock.utc_day(clock.now()) - timedelta(days=SOLD_DAYS - 1)
    scope = tables.default_scope()
    days = MoneyDay.objects.filter(
        day__gte=first, name=MoneyDay.RECEIPTS, environment__in=scope.environments
    )
    environments = ",".join(sorted(scope.environments))
    query = {"environment__in": environments, "issued_at__gte": f"{first}T00:00Z"}
    return StatCard(
        f"Gross sales, {SOLD_DAYS} days{'' if scope == tables.Scope.LIVE else ', no revenue'}",
        amounts.format_amount(sum(days.values_list("amount_cents", flat=True))),
        links.list_url(Receipt, query),
    )


def _margin_cards(work: WorkTotals | None) -> Iterator[StatCard]:
    if work is None:
        return
    rate = f", {work.rate} of revenue" if work.rate else ""
    yield StatCard(
        f"Margin, {SOLD_DAYS} days{rate}",
        f"{work.margin:,.2f} USD",
        reverse("admin:console_financial_overview", query={"days": SOLD_DAYS}),
        RED if work.margin < 0 else GREEN,
    )


def _ledger_check_card() -> StatCard:
    last = BooksCheck.objects.order_by("-pk").first()
    if last is None:
        return StatCard("Ledger not checked yet", "–", links.list_url(BooksCheck), AMBER)
    return StatCard(
        "Ledger errors",
        f"{last.problem_count:,}",
        links.page_url(last),
        RED if last.problem_count else GREEN,
        as_of=last.finished_at,
    )


def _reconciliation_card() -> StatCard:
    last = ReconciledDay.objects.order_by("-reconciled_at").first()
    if last is None:
        return StatCard("Not reconciled yet", "–", links.list_url(ReconciledDay), AMBER)
    is_late = clock.now() - last.reconciled_at > _FRESHNESS
    return StatCard(
        "Last reconciled day",
        charts.day_label(last.day),
        links.page_url(last),
        AMBER if is_late else GREEN,
        as_of=last.reconciled_at,
    )
