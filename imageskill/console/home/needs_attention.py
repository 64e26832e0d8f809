"""Needs attention: what waits for staff, counted now."""

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

_DISPUTES_LABEL = "Open disputes"
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
    RowCounter("Refunds pending approval", RefundRequest.objects.waiting, _PENDING, AMBER),
    RowCounter("Failed refunds", RefundRequest.objects.failed, {"failed": "yes"}, RED),
    RowCounter(
        "Credit adjustments pending approval", CreditCorrection.objects.waiting, _PENDING, AMBER
    ),
    RowCounter("Pack changes pending approval", PackChange.objects.waiting, _PENDING, AMBER),
    RowCounter(_DISPUTES_LABEL, PaymentReversal.objects.open_disputes, _DISPUTES, AMBER),
    RowCounter(
        "Refunds & disputes: needs review", PaymentReversal.objects.flagged, {"flagged": "yes"}, RED
    ),
    RowCounter(
        "Failed Stripe webhooks",
        lambda: StripeEvent.objects.filter(state__in=("received", "failed")),
        {"state__in": "received,failed"},
        RED,
    ),
    RowCounter(
        "Unmatched payments",
        UnmatchedPayment.objects.open,
        {"state__in": "open,partly_refunded"},
        RED,
    ),
    RowCounter(
        "Discrepancies",
        lambda: Difference.objects.filter(state=Difference.State.OPEN),
        _OPEN,
        RED,
    ),
    RowCounter("Overdue jobs", overdue_jobs, {"trouble": "deadline"}, RED),
    RowCounter("Unknown outcomes", unresolved_outputs.outcome_unknown, {"trouble": "unknown"}, RED),
    RowCounter(
        "Failed image checks, 24 h",
        failed_image_checks,
        {"check": "failed_lately"},
        RED,
    ),
    RowCounter(
        "New feedback",
        lambda: Report.objects.filter(state=Report.State.NEW),
        {"state__exact": "new"},
        AMBER,
    ),
    RowCounter(
        "GitHub sync failures",
        lambda: QueueItem.objects.filter(state__in=(QueueState.BLOCKED, QueueState.FAILED)),
        {"state__in": "blocked,failed"},
        AMBER,
    ),
    RowCounter(
        "Failed GitHub webhooks",
        lambda: GithubEvent.objects.filter(state__in=("received", "failed")),
        {"state__in": "received,failed"},
        AMBER,
    ),
)


def build_cards(request: HttpRequest) -> list[StatCard]:
    """Return the cards that the user may see; the disputes' card has the next deadline."""
    cards = stat_cards.build_cards(request, COUNTERS)
    return [_with_deadline(card) if card.label == _DISPUTES_LABEL else card for card in cards]


def _with_deadline(card: StatCard) -> StatCard:
    due = PaymentReversal.objects.open_disputes().exclude(evidence_due_by=None)
    first = due.values_list("evidence_due_by", flat=True).first()
    if first is None:
        return card
    days = (first - clock.now()).days
    return StatCard(f"{card.label}, {_describe_deadline(days)}", card.figure, card.url, RED)


def _describe_deadline(days: int) -> str:
    if days < 0:
        return "overdue"
    return "next deadline " + ("today" if not days else f"in {days} day{'s' * (days > 1)}")
