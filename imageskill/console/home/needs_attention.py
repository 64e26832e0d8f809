"""What needs somebody, counted now."""

from datetime import timedelta

from django.db.models import QuerySet
from django.http import HttpRequest

from billing.models import (
    CreditCorrection,
    Difference,
    PackChange,
    PaymentReversal,
    RefundRequest,
    StripeEvent,
    UnmatchedPayment,
)
from feedback.models import GithubEvent, QueueItem, Report
from feedback.states import QueueState
from imageskill.console.home import stat_cards
from imageskill.console.home.stat_cards import AMBER, RED, RowCounter, StatCard
from imageskill.lib import clock
from jobs.models import Asset, Job
from jobs.running import unresolved_outputs

_DISPUTES = {"kind__exact": "dispute", "state__in": "seen,applied"}
_PENDING = {"state__exact": "requested"}
_OPEN = {"state__exact": "open"}


def overdue_jobs() -> QuerySet[Job]:
    """Return unfinished jobs past their deadline."""
    rows: QuerySet[Job] = Job.objects.overdue(now=clock.now())
    return rows


def failed_image_checks() -> QuerySet[Asset]:
    """Return images whose check failed within a day."""
    rows: QuerySet[Asset] = Asset.objects.failed_check_since(clock.now() - timedelta(days=1))
    return rows


COUNTERS = (
    RowCounter(
        "Refunds waiting for a second person", RefundRequest.objects.waiting, _PENDING, AMBER
    ),
    RowCounter(
        "Credits waiting for a second person", CreditCorrection.objects.waiting, _PENDING, AMBER
    ),
    RowCounter("Packs waiting for a second person", PackChange.objects.waiting, _PENDING, AMBER),
    RowCounter("Open disputes", PaymentReversal.objects.open_disputes, _DISPUTES, AMBER),
    RowCounter(
        "Refunds and disputes flagged", PaymentReversal.objects.flagged, {"flagged": "yes"}, RED
    ),
    RowCounter(
        "Stripe events not handled",
        lambda: StripeEvent.objects.filter(state__in=("received", "failed")),
        {"state__in": "received,failed"},
        RED,
    ),
    RowCounter(
        "Payments that bought nothing",
        lambda: UnmatchedPayment.objects.filter(state=UnmatchedPayment.State.OPEN),
        _OPEN,
        RED,
    ),
    RowCounter(
        "Differences with Stripe",
        lambda: Difference.objects.filter(state=Difference.State.OPEN),
        _OPEN,
        RED,
    ),
    RowCounter("Jobs past their deadline", overdue_jobs, {"trouble": "deadline"}, RED),
    RowCounter("Outcomes unknown", unresolved_outputs.outcome_unknown, {"trouble": "unknown"}, RED),
    RowCounter(
        "Images that failed their check, 24 h",
        failed_image_checks,
        {"check": "failed_lately"},
        RED,
    ),
    RowCounter(
        "New reports",
        lambda: Report.objects.filter(state=Report.State.NEW),
        {"state__exact": "new"},
        AMBER,
    ),
    RowCounter(
        "Blocked or failed on their way to GitHub",
        lambda: QueueItem.objects.filter(state__in=(QueueState.BLOCKED, QueueState.FAILED)),
        {"state__in": "blocked,failed"},
        AMBER,
    ),
    RowCounter(
        "GitHub events not handled",
        lambda: GithubEvent.objects.filter(state__in=("received", "failed")),
        {"state__in": "received,failed"},
        AMBER,
    ),
)


def build_cards(request: HttpRequest) -> list[StatCard]:
    """Return the figures that this person may see; the disputes say when the next is due."""
    found = stat_cards.build_cards(request, COUNTERS)
    return [_with_deadline(tile) if tile.label == "Open disputes" else tile for tile in found]


def _with_deadline(tile: StatCard) -> StatCard:
    due = PaymentReversal.objects.open_disputes().exclude(evidence_due_by=None)
    first = due.values_list("evidence_due_by", flat=True).first()
    if first is None:
        return tile
    days = (first - clock.now()).days
    words = f"next deadline in {days} days" if days >= 0 else "a deadline has passed"
    return StatCard(f"{tile.label}, {words}", tile.figure, tile.url, RED)
