"""Today: the console's first page, with only what this person's duties show.

First what needs somebody, then how it goes. Every figure is a link to the rows behind it; what
lies in the past comes from the figures by day, never from scanning history.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Model, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse

from billing import tally
from billing.models import (
    BooksCheck,
    Difference,
    MoneyDay,
    PaymentReversal,
    RefundRequest,
    StripeEvent,
    UnmatchedPayment,
)
from feedback.models import QueueItem, Report
from feedback.states import QueueState
from imageskill.console.charts import Bar, bars
from imageskill.lib import clock
from jobs import states
from jobs.models import AssetCheck, Job, ModelDay

_CHART_DAYS = 14


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its link; `tone` is red, amber, green or empty."""

    label: str
    figure: str
    url: str
    tone: str = ""


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of the index page what this person may see."""
    sections = [
        ("Needs somebody", list(_shown(request, _NEEDS))),
        ("How it goes", list(_shown(request, _GOES))),
    ]
    charts = []
    if request.user.has_perm("accounts.see_jobs"):
        charts += [("Jobs completed by day", _jobs_by_day()), ("Failed by day", _failed_by_day())]
    if request.user.has_perm("accounts.see_ledger"):
        charts.append(("Credits spent by day", _credits_by_day("capture")))
    context.update(
        sections=[(title, tiles) for title, tiles in sections if tiles],
        charts=charts,
        models=_models() if request.user.has_perm("accounts.see_jobs") else [],
    )
    return context


def _shown(request: HttpRequest, tiles: Iterable[tuple[str, Callable[[], Tile]]]) -> Iterable[Tile]:
    return (make() for permission, make in tiles if request.user.has_perm(permission))


def _list(model: type[Model], **query: Any) -> str:
    opts = model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist", query=query)


def _waiting(label: str, rows: QuerySet[Any], url: str, *, tone: str = "red") -> Tile:
    number = rows.count()
    return Tile(label, f"{number:,}", url, tone if number else "green")


def _refunds() -> Tile:
    rows = RefundRequest.objects.filter(state=RefundRequest.State.REQUESTED)
    return _waiting("Refunds waiting for a second person", rows, _list(RefundRequest), tone="amber")


def _disputes() -> Tile:
    rows = PaymentReversal.objects.open_disputes()
    first = rows.exclude(evidence_due_by=None).first()
    url = _list(PaymentReversal, kind__exact="dispute")
    tile = _waiting("Open disputes", rows, url, tone="amber")
    if first is None or first.evidence_due_by is None:
        return tile
    days = (first.evidence_due_by - clock.now()).days
    return Tile(f"Open disputes, next deadline in {days} days", tile.figure, url, "red")


def _events() -> Tile:
    rows = StripeEvent.objects.filter(state__in=("received", "failed"))
    return _waiting("Stripe events not handled", rows, _list(StripeEvent, state__exact="failed"))


def _stuck() -> Tile:
    rows = Job.objects.filter(completed_at=None, deadline_at__lt=clock.now())
    return _waiting("Jobs past their deadline", rows, _list(Job, status__exact="running"))


def _unknown() -> Tile:
    rows = Job.objects.filter(completed_at=None).exclude(outcome_unknown_at=None)
    return _waiting("Outcomes unknown", rows, _list(Job, status__exact="running"))


def _differences() -> Tile:
    rows = Difference.objects.filter(state=Difference.State.OPEN)
    return _waiting("Differences with Stripe", rows, _list(Difference, state__exact="open"))


def _unmatched() -> Tile:
    rows = UnmatchedPayment.objects.filter(state="open")
    return _waiting(
        "Payments that bought nothing", rows, _list(UnmatchedPayment, state__exact="open")
    )


def _reports() -> Tile:
    rows = Report.objects.filter(state=Report.State.NEW)
    return _waiting("New reports", rows, _list(Report, state__exact="new"), tone="amber")


def _github() -> Tile:
    rows = QueueItem.objects.filter(state__in=(QueueState.BLOCKED, QueueState.FAILED))
    url = _list(QueueItem, state__exact=QueueState.BLOCKED)
    return _waiting("Blocked or failed on their way to GitHub", rows, url, tone="amber")


def _pictures() -> Tile:
    rows = AssetCheck.objects.filter(is_good=False, checked_at__gt=clock.now() - timedelta(days=1))
    return _waiting("Pictures that failed their check, 24 h", rows, reverse("admin:console_wall"))


def _open_jobs() -> Tile:
    number = Job.objects.filter(completed_at=None, status__in=states.OPEN).count()
    return Tile("Jobs under way", f"{number:,}", _list(Job, status__exact="running"))


def _today() -> Tile:
    total = ModelDay.objects.filter(day=clock.utc_day(clock.now())).aggregate(
        done=Sum("completed"), failed=Sum("failed")
    )
    done, failed = total["done"] or 0, total["failed"] or 0
    rate = failed / (done + failed) if done + failed else 0
    tone = "red" if rate > 0.1 else "green"
    return Tile(
        f"Completed today, {rate:.1%} failed", f"{done:,}", _list(Job, status__exact="failed"), tone
    )


def _outstanding() -> Tile:
    totals = tally.wallet_totals()
    label = "Credits outstanding (a liability): paid and held"
    as_of = f", {totals.counted_at:%Y-%m-%d %H:%M} UTC" if totals.counted_at else ", never counted"
    return Tile(label + as_of, f"{totals.outstanding:,}", reverse("admin:console_position"))


def _sold() -> Tile:
    since = clock.utc_day(clock.now()) - timedelta(days=30)
    total = MoneyDay.objects.filter(
        day__gt=since, name=MoneyDay.RECEIPTS, environment="live"
    ).aggregate(cents=Sum("amount_cents"))["cents"]
    return Tile(
        "Sold in 30 days, live", f"{(total or 0) / 100:,.2f} USD", reverse("admin:console_position")
    )


def _books() -> Tile:
    last = BooksCheck.objects.order_by("-pk").first()
    if last is None:
        return Tile("Books never checked", "–", _list(BooksCheck), "amber")
    tone = "red" if last.problem_count else "green"
    return Tile(
        f"Problems in the books, {last.finished_at:%Y-%m-%d %H:%M} UTC",
        f"{last.problem_count:,}",
        _list(BooksCheck),
        tone,
    )


_NEEDS: tuple[tuple[str, Callable[[], Tile]], ...] = (
    ("accounts.see_payments", _refunds),
    ("accounts.see_payments", _disputes),
    ("accounts.see_payments", _events),
    ("accounts.see_payments", _unmatched),
    ("accounts.see_ledger", _differences),
    ("accounts.see_jobs", _stuck),
    ("accounts.see_jobs", _unknown),
    ("accounts.see_jobs", _pictures),
    ("accounts.see_feedback", _reports),
    ("accounts.see_feedback", _github),
)
_GOES: tuple[tuple[str, Callable[[], Tile]], ...] = (
    ("accounts.see_jobs", _open_jobs),
    ("accounts.see_jobs", _today),
    ("accounts.see_ledger", _outstanding),
    ("accounts.see_ledger", _sold),
    ("accounts.see_ledger", _books),
)


def _models() -> list[ModelDay]:
    """Give today's figures by model, the most used first."""
    today = clock.utc_day(clock.now())
    return list(ModelDay.objects.filter(day=today).order_by("-completed", "model_id")[:12])


def _jobs_by_day() -> list[Bar]:
    return bars(_by_day(ModelDay.objects.all(), "completed"))


def _failed_by_day() -> list[Bar]:
    return bars(_by_day(ModelDay.objects.all(), "failed"))


def _credits_by_day(name: str) -> list[Bar]:
    return bars(_by_day(MoneyDay.objects.filter(name=name), "credits"))


def _by_day(rows: QuerySet[Any], field: str) -> list[tuple[str, int]]:
    today = clock.utc_day(clock.now())
    days = [today - timedelta(days=back) for back in range(_CHART_DAYS - 1, -1, -1)]
    found = dict(
        rows.filter(day__gte=days[0]).values_list("day").annotate(total=Sum(field)).order_by()
    )
    return [(f"{day:%m-%d}", found.get(day, 0)) for day in days]
