"""The queues: how deep, how old, who is deaf, and what to do about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Min, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing.models import StripeEvent
from feedback.models import GithubRepository, QueueItem
from imageskill.health import canary_key
from imageskill.lib import clock
from imageskill.lib.queue import QUEUES
from imageskill.lib.redis_client import Unreachable, client
from jobs import states
from jobs.models import Job

_DEEP = 500  # messages; more than a worker takes in a minute or so


@dataclass(frozen=True, slots=True)
class Light:
    """One figure with its colour and, where it is red, what to do."""

    label: str
    figure: str
    is_red: bool
    advice: str = ""


def view(request: HttpRequest) -> HttpResponse:
    """Show all lights."""
    if not request.user.has_perm("accounts.see_jobs"):
        raise PermissionDenied
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Queues",
        "lights": [*_broker(), *_jobs(), *_events(), *_github()],
    }
    return TemplateResponse(request, "admin/console/queues.html", context)


def _broker() -> list[Light]:
    try:
        lights = []
        for name in QUEUES:
            depth = client().llen(name)
            lights.append(
                Light(
                    f"Messages in {name}",
                    f"{depth:,}",
                    depth > _DEEP,
                    "Start more workers for this queue, or raise their concurrency.",
                )
            )
            age = _canary_age_s(name)
            lights.append(
                Light(
                    f"Canary of {name}",
                    "never sang" if age is None else f"{age:.0f} s ago",
                    age is None or age > settings.CANARY_MAX_AGE_S,
                    "No worker takes from this queue. Restart the worker; look at its log.",
                )
            )
    except Unreachable:
        return [
            Light("Broker", "down", is_red=True, advice="Start Redis. No message is lost for good.")
        ]
    return lights


def _canary_age_s(queue: str) -> float | None:
    sang_at = client().get(canary_key(queue))
    if not sang_at:
        return None
    return (clock.now() - datetime.fromisoformat(str(sang_at))).total_seconds()


def _jobs() -> list[Light]:
    now = clock.now()
    waiting = Job.objects.filter(status=states.QUEUED)
    oldest = waiting.aggregate(at=Min("created_at"))["at"]
    unsent = waiting.filter(sent_at=None).count()
    lost = Job.objects.filter(completed_at=None, leased_until__lt=now).count()
    again = Job.objects.filter(completed_at=None).aggregate(n=Sum("redeliveries"))["n"] or 0
    return [
        Light(
            "Oldest queued job",
            _age(oldest, now),
            oldest is not None and (now - oldest).total_seconds() > 60,
            "Workers are busy or gone; see the canaries above.",
        ),
        Light(
            "Jobs waiting to be sent",
            f"{unsent:,}",
            unsent > 0,
            "The broker was down; the sweeper sends them within seconds.",
        ),
        Light(
            "In flight past their lease",
            f"{lost:,}",
            lost > 0,
            "A worker died with them; the sweeper hands them to another one.",
        ),
        Light("Redelivered, of those under way", f"{again:,}", is_red=False),
    ]


def _events() -> list[Light]:
    now = clock.now()
    oldest = StripeEvent.objects.filter(state="received").aggregate(at=Min("received_at"))["at"]
    failed = StripeEvent.objects.filter(state="failed").count()
    return [
        Light(
            "Webhook to balance, oldest waiting",
            _age(oldest, now),
            oldest is not None and (now - oldest).total_seconds() > 60,
            "Workers are busy or gone; see the canaries above.",
        ),
        Light(
            "Stripe events that failed",
            f"{failed:,}",
            failed > 0,
            "Open them under Stripe events, read the error, replay as a dry run, then for real.",
        ),
    ]


def _github() -> list[Light]:
    now = clock.now()
    waiting = QueueItem.objects.filter(state=QueueItem.State.QUEUED)
    oldest = waiting.aggregate(at=Min("next_attempt_at"))["at"]
    resting = GithubRepository.objects.filter(paused_until__gt=now).first()
    return [
        Light(
            "Reports due for GitHub, oldest",
            _age(oldest, now) if oldest and oldest < now else "none",
            oldest is not None and (now - oldest).total_seconds() > 600 and resting is None,
            "Workers are busy or gone; see the canaries above.",
        ),
        Light(
            "GitHub",
            f"rests: {resting.pause_reason.replace('_', ' ')}" if resting else "takes issues",
            resting is not None and resting.pause_reason not in {"daily_limit", "rate_limited"},
            "Read the problem of a queued item; credentials, permissions or the repository's name.",
        ),
    ]


def _age(at: datetime | None, now: datetime) -> str:
    return "none" if at is None else f"{(now - at).total_seconds():.0f} s"
