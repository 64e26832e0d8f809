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
from imageskill.console import stat_cards
from imageskill.console.stat_cards import AMBER, RED, Counted, Tile
from imageskill.lib import clock
from jobs.models import Asset, Job
from jobs.running import unresolved_outputs

_DISPUTES = {"kind__exact": "dispute", "state__in": "seen,applied"}
_WAITS = {"state__exact": "requested"}
_OPEN = {"state__exact": "open"}


def overdue() -> QuerySet[Job]:
    """Give unfinished jobs past their deadline."""
    rows: QuerySet[Job] = Job.objects.overdue(now=clock.now())
    return rows


def spoiled() -> QuerySet[Asset]:
    """Give pictures whose check failed within a day."""
    rows: QuerySet[Asset] = Asset.objects.failed_check_since(clock.now() - timedelta(days=1))
    return rows


SETS = (
    Counted("Refunds waiting for a second person", RefundRequest.objects.waiting, _WAITS, AMBER),
    Counted("Credits waiting for a second person", CreditCorrection.objects.waiting, _WAITS, AMBER),
    Counted("Packs waiting for a second person", PackChange.objects.waiting, _WAITS, AMBER),
    Counted("Open disputes", PaymentReversal.objects.open_disputes, _DISPUTES, AMBER),
    Counted(
        "Refunds and disputes flagged", PaymentReversal.objects.flagged, {"flagged": "yes"}, RED
    ),
    Counted(
        "Stripe events not handled",
        lambda: StripeEvent.objects.filter(state__in=("received", "failed")),
        {"state__in": "received,failed"},
        RED,
    ),
    Counted(
        "Payments that bought nothing",
        lambda: UnmatchedPayment.objects.filter(state=UnmatchedPayment.State.OPEN),
        _OPEN,
        RED,
    ),
    Counted(
        "Differences with Stripe",
        lambda: Difference.objects.filter(state=Difference.State.OPEN),
        _OPEN,
        RED,
    ),
    Counted("Jobs past their deadline", overdue, {"trouble": "deadline"}, RED),
    Counted("Outcomes unknown", unresolved_outputs.unknown, {"trouble": "unknown"}, RED),
    Counted("Pictures that failed their check, 24 h", spoiled, {"check": "failed_lately"}, RED),
    Counted(
        "New reports",
        lambda: Report.objects.filter(state=Report.State.NEW),
        {"state__exact": "new"},
        AMBER,
    ),
    Counted(
        "Blocked or failed on their way to GitHub",
        lambda: QueueItem.objects.filter(state__in=(QueueState.BLOCKED, QueueState.FAILED)),
        {"state__in": "blocked,failed"},
        AMBER,
    ),
    Counted(
        "GitHub events not handled",
        lambda: GithubEvent.objects.filter(state__in=("received", "failed")),
        {"state__in": "received,failed"},
        AMBER,
    ),
)


def shown(request: HttpRequest) -> list[Tile]:
    """Give the figures that this person may see; the disputes say when the next is due."""
    found = stat_cards.counted(request, SETS)
    return [_with_deadline(tile) if tile.label == "Open disputes" else tile for tile in found]


def _with_deadline(tile: Tile) -> Tile:
    due = PaymentReversal.objects.open_disputes().exclude(evidence_due_by=None)
    first = due.values_list("evidence_due_by", flat=True).first()
    if first is None:
        return tile
    days = (first - clock.now()).days
    words = f"next deadline in {days} days" if days >= 0 else "a deadline has passed"
    return Tile(f"{tile.label}, {words}", tile.figure, tile.url, RED)
