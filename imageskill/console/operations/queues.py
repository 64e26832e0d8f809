"""The page of queues: depth, age, heartbeats, and what to do about each problem."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Min, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from kombu.exceptions import OperationalError

from billing.models import StripeEvent
from feedback.models import GithubRepository, QueueItem
from imageskill.console import links
from imageskill.lib import clock
from imageskill.lib.admin.formatting import display_duration
from imageskill.lib.queue import QUEUES
from imageskill.lib.redis.client import RedisUnavailable, client
from imageskill.web.health import heartbeat_key
from jobs import states
from jobs.admin.job_filters import overdue_for_resend, stalled
from jobs.models import Job

_MAX_DEPTH = 500  # messages; more than a worker takes in a minute or so
_MAX_AGE_S = 60  # workers and sweepers repair what is younger by themselves
_INSPECT_TIMEOUT_S = 0.5  # for workers to answer
_RECENT_EVENTS = 20  # events that the lag is measured over
_BUSY_OR_GONE = "Workers are busy or gone: see the workers and heartbeats above."
_JOBS, _MONEY, _REPORTS = "accounts.see_jobs", "accounts.see_payments", "accounts.see_feedback"


@dataclass(frozen=True, slots=True)
class HealthIndicator:
    """One figure and, where it is red, what to do; `url` is the list of its rows."""

    label: str
    figure: str
    is_red: bool
    advice: str = ""
    url: str = ""
    view_permission: str = _JOBS  # the permission that opens those rows


def view(request: HttpRequest) -> HttpResponse:
    """Show all indicators."""
    if not request.user.has_perm(_JOBS):
        raise PermissionDenied
    indicators = (*_broker(), *_jobs(), *_events(), *_github())
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Queues",
        "indicators": [
            indicator
            if request.user.has_perm(indicator.view_permission)
            else replace(indicator, url="")
            for indicator in indicators
        ],
    }
    return TemplateResponse(request, "admin/console/queues.html", context)


def _broker() -> list[HealthIndicator]:
    try:
        return [_workers(), *(indicator for name in QUEUES for indicator in _queue(name))]
    except (RedisUnavailable, OperationalError, OSError):
        return [
            HealthIndicator(
                "Broker", "Down", is_red=True, advice="Start Redis. No message is lost."
            )
        ]


def _workers() -> HealthIndicator:
    """Return which queues the workers consume."""
    client().ping()  # fails at once where the broker is down; inspecting would keep trying
    served = current_app.control.inspect(timeout=_INSPECT_TIMEOUT_S).active_queues() or {}
    names = {queue["name"] for queues in served.values() for queue in queues}
    unserved = [name for name in QUEUES if name not in names]
    figure = f"{len(served):,}"
    if served and unserved:
        figure += f"; none consumes {' or '.join(unserved)}"
    return HealthIndicator(
        "Workers",
        figure,
        bool(unserved),
        "Start a worker for each queue (see docs/operations.md). A worker that runs but does not "
        "answer has lost its connection: read its log and restart it.",
    )


def _queue(name: str) -> Iterator[HealthIndicator]:
    depth, age = client().llen(name), _heartbeat_age_s(name)
    yield HealthIndicator(
        f"Messages in {name}",
        f"{depth:,}",
        depth > _MAX_DEPTH,
        "Start more workers for this queue, or raise their concurrency.",
        links.list_url(Job, {"status__exact": states.QUEUED}) if name == "jobs" else "",
    )
    yield HealthIndicator(
        f"Heartbeat of {name}",
        "No heartbeat yet" if age is None else f"{display_duration(age)} ago",
        age is None or age > settings.CANARY_MAX_AGE_S,
        "No worker consumes this queue. Restart the worker and read its log.",
    )


def _heartbeat_age_s(queue: str) -> float | None:
    recorded_at = client().get(heartbeat_key(queue))
    if not recorded_at:
        return None
    return (clock.now() - datetime.fromisoformat(str(recorded_at))).total_seconds()


def _jobs() -> Iterator[HealthIndicator]:
    oldest = _age_s(Job.objects.filter(status=states.QUEUED).aggregate(at=Min("created_at"))["at"])
    yield HealthIndicator(
        "Oldest queued job",
        _format_wait(oldest),
        _is_late(oldest),
        _BUSY_OR_GONE,
        links.list_url(Job, {"status__exact": states.QUEUED}),
    )
    sent = _age_s(overdue_for_resend().aggregate(at=Min("sent_at"))["at"])
    yield HealthIndicator(
        "Jobs waiting to be resent",
        f"{overdue_for_resend().count():,}"
        + (f", oldest {display_duration(sent)}" if sent else ""),
        sent is not None and sent > _MAX_AGE_S + settings.JOB_RESEND_AFTER_S,
        "The sweeper resends them every few seconds. Check that the scheduler (celery beat) runs "
        "and that a worker consumes the default queue.",
        links.list_url(Job, {"trouble": "unsent"}),
    )
    lost = _age_s(stalled().aggregate(at=Min("leased_until"))["at"])
    yield HealthIndicator(
        "Stalled jobs",
        f"{stalled().count():,}" + (f", oldest {display_duration(lost)}" if lost else ""),
        _is_late(lost),
        "Their worker died and the sweeper has not sent them to another one. Check that the "
        "scheduler runs, or send each job to a worker from its page.",
        links.list_url(Job, {"trouble": "lease"}),
    )
    again = Job.objects.filter(completed_at=None).aggregate(n=Sum("redeliveries"))["n"] or 0
    yield HealthIndicator("Redeliveries of unfinished jobs", f"{again:,}", is_red=False)


def _events() -> Iterator[HealthIndicator]:
    oldest = StripeEvent.objects.filter(state="received").aggregate(at=Min("received_at"))["at"]
    age = _age_s(oldest)
    yield HealthIndicator(
        "Oldest waiting webhook",
        _format_wait(age),
        _is_late(age),
        _BUSY_OR_GONE,
        links.list_url(StripeEvent, {"state__exact": "received"}),
        _MONEY,
    )
    yield _webhook_lag()
    failed = StripeEvent.objects.filter(state="failed").count()
    yield HealthIndicator(
        "Failed Stripe webhooks",
        f"{failed:,}",
        failed > 0,
        "Open each, read its error, preview a replay, then replay it.",
        links.list_url(StripeEvent, {"state__exact": "failed"}),
        _MONEY,
    )


def _webhook_lag() -> HealthIndicator:
    """Return how long the last events took from the webhook to the ledger."""
    handled = StripeEvent.objects.filter(state="handled").exclude(handled_at=None)
    last = handled.order_by("-pk").values_list("received_at", "handled_at")[:_RECENT_EVENTS]
    took = [(done - came).total_seconds() for came, done in last if done]
    usual = median(took) if took else None
    return HealthIndicator(
        f"Webhook to balance, last {len(took)}" if took else "Webhook to balance",
        f"p50 {display_duration(usual)}, max {display_duration(max(took))}" if took else "None yet",
        _is_late(usual),
        "Events are processed late: start more workers for the default queue.",
        links.list_url(StripeEvent, {"state__exact": "handled"}),
        _MONEY,
    )


def _github() -> Iterator[HealthIndicator]:
    waiting = QueueItem.objects.filter(state=QueueItem.State.QUEUED)
    due = _age_s(waiting.aggregate(at=Min("next_attempt_at"))["at"])
    paused = GithubRepository.objects.filter(paused_until__gt=clock.now()).first()
    yield HealthIndicator(
        "Oldest feedback due for GitHub",
        _format_wait(due if due and due > 0 else None),
        due is not None and due > 10 * _MAX_AGE_S and paused is None,
        _BUSY_OR_GONE,
        links.list_url(QueueItem, {"state__exact": QueueItem.State.QUEUED}),
        _REPORTS,
    )
    yield HealthIndicator(
        "GitHub",
        f"Paused: {paused.pause_reason.replace('_', ' ')}" if paused else "Active",
        paused is not None and paused.pause_reason not in {"daily_limit", "rate_limited"},
        "Read the problem of a queued item: credentials, permissions or the repository's name.",
        links.list_url(QueueItem, {"state__exact": QueueItem.State.QUEUED}),
        _REPORTS,
    )


def _age_s(at: datetime | None) -> float | None:
    return None if at is None else (clock.now() - at).total_seconds()


def _format_wait(age_s: float | None) -> str:
    return "None" if age_s is None else display_duration(age_s)


def _is_late(age_s: float | None) -> bool:
    return age_s is not None and age_s > _MAX_AGE_S
