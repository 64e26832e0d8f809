"""The queues: how deep, how old, who is deaf, and what to do about it."""

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
from imageskill.lib.redis_client import RedisUnavailable, client
from imageskill.web.health import heartbeat_key
from jobs import states
from jobs.admin.job_filters import overdue_for_resend, stalled
from jobs.models import Job

_MAX_DEPTH = 500  # messages; more than a worker takes in a minute or so
_MAX_AGE_S = 60  # what workers and sweepers put right before it is worth a look
_INSPECT_TIMEOUT_S = 0.5  # how long workers have to say that they are there
_RECENT_EVENTS = 20  # events, of which the lag is told
_JOBS, _MONEY, _REPORTS = "accounts.see_jobs", "accounts.see_payments", "accounts.see_feedback"


@dataclass(frozen=True, slots=True)
class HealthIndicator:
    """One figure with its color and, where it is red, what to do; `url` leads to the rows."""

    label: str
    figure: str
    is_red: bool
    advice: str = ""
    url: str = ""
    view_permission: str = _JOBS  # the permission that opens those rows


def view(request: HttpRequest) -> HttpResponse:
    """Show all lights."""
    if not request.user.has_perm(_JOBS):
        raise PermissionDenied
    lights = (*_broker(), *_jobs(), *_events(), *_github())
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Queues",
        "lights": [
            light if request.user.has_perm(light.view_permission) else replace(light, url="")
            for light in lights
        ],
    }
    return TemplateResponse(request, "admin/console/queues.html", context)


def _broker() -> list[HealthIndicator]:
    try:
        return [_workers(), *(light for name in QUEUES for light in _queue(name))]
    except (RedisUnavailable, OperationalError, OSError):
        return [
            HealthIndicator(
                "Broker", "down", is_red=True, advice="Start Redis. No message is lost for good."
            )
        ]


def _workers() -> HealthIndicator:
    """Ask all workers which queues they serve."""
    client().ping()  # asking would try to reach a broker that is down for long
    served = current_app.control.inspect(timeout=_INSPECT_TIMEOUT_S).active_queues() or {}
    names = {queue["name"] for queues in served.values() for queue in queues}
    unserved = [name for name in QUEUES if name not in names]
    figure = f"{len(served):,}"
    if served and unserved:
        figure += f", none of them takes {' or '.join(unserved)}"
    return HealthIndicator(
        "Workers",
        figure,
        bool(unserved),
        "Start a worker for each queue (docs/operations.md has the command), or look at its log: "
        "one that does not answer may be deaf.",
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
        f"Canary of {name}",
        "never sang" if age is None else f"{display_duration(age)} ago",
        age is None or age > settings.CANARY_MAX_AGE_S,
        "No worker takes from this queue. Restart the worker; look at its log.",
    )


def _heartbeat_age_s(queue: str) -> float | None:
    sang_at = client().get(heartbeat_key(queue))
    if not sang_at:
        return None
    return (clock.now() - datetime.fromisoformat(str(sang_at))).total_seconds()


def _jobs() -> Iterator[HealthIndicator]:
    oldest = _age_s(Job.objects.filter(status=states.QUEUED).aggregate(at=Min("created_at"))["at"])
    yield HealthIndicator(
        "Oldest queued job",
        _format_wait(oldest),
        _is_late(oldest),
        "Workers are busy or gone; see workers and canaries above.",
        links.list_url(Job, {"status__exact": states.QUEUED}),
    )
    sent = _age_s(overdue_for_resend().aggregate(at=Min("sent_at"))["at"])
    yield HealthIndicator(
        "Jobs waiting to be sent again",
        f"{overdue_for_resend().count():,}"
        + (f", the oldest for {display_duration(sent)}" if sent else ""),
        sent is not None and sent > _MAX_AGE_S + settings.JOB_RESEND_AFTER_S,
        "The sweeper sends them every few seconds. Start the scheduler (celery beat); see whether "
        "a worker takes from the default queue.",
        links.list_url(Job, {"trouble": "unsent"}),
    )
    lost = _age_s(stalled().aggregate(at=Min("leased_until"))["at"])
    yield HealthIndicator(
        "In flight past their lease",
        f"{stalled().count():,}" + (f", the oldest for {display_duration(lost)}" if lost else ""),
        _is_late(lost),
        "Their worker died, and the sweeper should have handed them to another one: see whether "
        "the scheduler runs, or send them from their pages.",
        links.list_url(Job, {"trouble": "lease"}),
    )
    again = Job.objects.filter(completed_at=None).aggregate(n=Sum("redeliveries"))["n"] or 0
    yield HealthIndicator("Redelivered, of those under way", f"{again:,}", is_red=False)


def _events() -> Iterator[HealthIndicator]:
    oldest = StripeEvent.objects.filter(state="received").aggregate(at=Min("received_at"))["at"]
    age = _age_s(oldest)
    yield HealthIndicator(
        "Webhooks waiting, oldest",
        _format_wait(age),
        _is_late(age),
        "Workers are busy or gone; see workers and canaries above.",
        links.list_url(StripeEvent, {"state__exact": "received"}),
        _MONEY,
    )
    yield _webhook_lag()
    failed = StripeEvent.objects.filter(state="failed").count()
    yield HealthIndicator(
        "Stripe events that failed",
        f"{failed:,}",
        failed > 0,
        "Open them, read the error, replay as a dry run, then for real.",
        links.list_url(StripeEvent, {"state__exact": "failed"}),
        _MONEY,
    )


def _webhook_lag() -> HealthIndicator:
    """Return how long the last events took from the webhook to their effect in the books."""
    handled = StripeEvent.objects.filter(state="handled").exclude(handled_at=None)
    last = handled.order_by("-pk").values_list("received_at", "handled_at")[:_RECENT_EVENTS]
    took = [(done - came).total_seconds() for came, done in last if done]
    usual = median(took) if took else None
    return HealthIndicator(
        f"Webhook to balance, last {len(took)}" if took else "Webhook to balance",
        f"{display_duration(usual)} (median), {display_duration(max(took))} (longest)"
        if took
        else "none yet",
        _is_late(usual),
        "Events are handled, but late: start more workers for the default queue.",
        links.list_url(StripeEvent, {"state__exact": "handled"}),
        _MONEY,
    )


def _github() -> Iterator[HealthIndicator]:
    waiting = QueueItem.objects.filter(state=QueueItem.State.QUEUED)
    due = _age_s(waiting.aggregate(at=Min("next_attempt_at"))["at"])
    resting = GithubRepository.objects.filter(paused_until__gt=clock.now()).first()
    yield HealthIndicator(
        "Reports due for GitHub, oldest",
        _format_wait(due if due and due > 0 else None),
        due is not None and due > 10 * _MAX_AGE_S and resting is None,
        "Workers are busy or gone; see workers and canaries above.",
        links.list_url(QueueItem, {"state__exact": QueueItem.State.QUEUED}),
        _REPORTS,
    )
    yield HealthIndicator(
        "GitHub",
        f"rests: {resting.pause_reason.replace('_', ' ')}" if resting else "takes issues",
        resting is not None and resting.pause_reason not in {"daily_limit", "rate_limited"},
        "Read the problem of a queued item; credentials, permissions or the repository's name.",
        links.list_url(QueueItem, {"state__exact": QueueItem.State.QUEUED}),
        _REPORTS,
    )


def _age_s(at: datetime | None) -> float | None:
    return None if at is None else (clock.now() - at).total_seconds()


def _format_wait(age_s: float | None) -> str:
    return "none" if age_s is None else display_duration(age_s)


def _is_late(age_s: float | None) -> bool:
    return age_s is not None and age_s > _MAX_AGE_S
