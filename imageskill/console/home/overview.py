"""How it goes: jobs by state, today's figures, money, and when the books were last looked at.

What has ended is told by the figures by day, which a task counts every five minutes.
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
from imageskill.console import links
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
        f"Jobs {state}",
        lambda: Job.objects.filter(status=state),
        {"status__exact": state},
    )


COUNTERS = (
    *(_jobs_in_status(state) for state in states.OPEN),
    RowCounter(
        "Reports in the queue to GitHub",
        lambda: QueueItem.objects.filter(state=QueueState.QUEUED),
        {"state__exact": "queued"},
    ),
)


def build_cards(
    request: HttpRequest, today: list[Any], margin: WorkTotals | None
) -> list[StatCard]:
    """Return the figures that this person may see; `today` has a row for each model."""
    found = stat_cards.build_cards(request, COUNTERS)
    if links.may_see(request, Job):
        found += _ended_cards(today)
    if request.user.has_perm("accounts.see_ledger"):
        found += [
            _deferred_revenue_card(),
            _sales_card(),
            *_margin_cards(margin),
            _ledger_check_card(),
            _reconciliation_card(),
        ]
    return found


def ended_query(state: str, first: date, until: date | None = None, **more: str) -> dict[str, str]:
    """Return what narrows the list of jobs to those that the figures by day count.

    Uploads are no model's, so they are in no figure.
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
            f"Failed today, {rate:.1%}",
            states.FAILED,
            failed,
            RED if rate > _MAX_FAILURE_RATE else GREEN,
        ),
        ("Canceled today", states.CANCELED, canceled, ""),
    ):
        yield StatCard(label, f"{number:,}", links.list_url(Job, ended_query(state, first)), tone)


def _deferred_revenue_card() -> StatCard:
    totals = daily_totals.wallet_totals()
    as_of = f", {totals.counted_at:%Y-%m-%d %H:%M} UTC" if totals.counted_at else ", never counted"
    return StatCard(
        f"Credits outstanding (a liability): paid and held{as_of}",
        f"{totals.outstanding:,}",
        links.list_url(Wallet, {"purpose__in": f"{Purpose.PAID},{Purpose.HELD}"}),
    )


def _sales_card() -> StatCard:
    first = clock.utc_day(clock.now()) - timedelta(days=SOLD_DAYS - 1)
    days = MoneyDay.objects.filter(day__gte=first, name=MoneyDay.RECEIPTS, environment="live")
    query = {"environment__exact": "live", "issued_at__gte": f"{first}T00:00Z"}
    return StatCard(
        f"Sold in {SOLD_DAYS} days, live",
        amounts.format_amount(sum(days.values_list("amount_cents", flat=True))),
        links.list_url(Receipt, query),
    )


def _margin_cards(work: WorkTotals | None) -> Iterator[StatCard]:
    if work is None:
        return
    rate = f", {work.rate} of revenue" if work.rate else ""
    yield StatCard(
        f"Margin in {SOLD_DAYS} days{rate}",
        f"{work.margin:,.2f} USD",
        reverse("admin:console_financial_overview", query={"days": SOLD_DAYS}),
        RED if work.margin < 0 else GREEN,
    )


def _ledger_check_card() -> StatCard:
    last = BooksCheck.objects.order_by("-pk").first()
    if last is None:
        return StatCard("Books never checked", "–", links.list_url(BooksCheck), AMBER)
    return StatCard(
        f"Problems in the books, {last.finished_at:%Y-%m-%d %H:%M} UTC",
        f"{last.problem_count:,}",
        links.page_url(last),
        RED if last.problem_count else GREEN,
    )


def _reconciliation_card() -> StatCard:
    last = ReconciledDay.objects.order_by("-reconciled_at").first()
    if last is None:
        return StatCard("Never reconciled with Stripe", "–", links.list_url(ReconciledDay), AMBER)
    is_late = clock.now() - last.reconciled_at > _FRESHNESS
    return StatCard(
        f"Last day reconciled with Stripe, at {last.reconciled_at:%Y-%m-%d %H:%M} UTC",
        f"{last.day}",
        links.page_url(last),
        AMBER if is_late else GREEN,
    )
