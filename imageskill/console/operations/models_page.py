"""The page of models and providers: availability, failure rate, and enabling or disabling."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.request_user import request_user
from imageskill.lib import clock
from imageskill.lib.admin import second_factor
from imageskill.lib.admin.actions import ActionForm
from imageskill.lib.errors import InvalidArguments
from jobs import registry, states
from jobs.catalog import discovery, switches
from jobs.catalog.availability import current
from jobs.models import Job, ModelDay, Switch
from jobs.providers import concurrency
from jobs.providers.vendors import VENDORS
from jobs.registry.unavailability import Unavailability, provider_failing

FAILING = provider_failing(retry_after_s=1).reason


class SwitchForm(ActionForm):
    """What to enable or disable, and why."""

    kind = forms.ChoiceField(choices=Switch.Kind.choices, widget=forms.HiddenInput)
    name = forms.CharField(max_length=128, widget=forms.HiddenInput)
    is_on = forms.TypedChoiceField(
        choices=[("1", "Enable"), ("0", "Disable")],
        coerce=lambda text: text == "1",
        empty_value=None,
        widget=forms.HiddenInput,
    )


@dataclass(frozen=True, slots=True)
class WeeklyStats:
    """A model's jobs of the last seven days, and its latest generation times."""

    completed: int = 0
    failed: int = 0
    median_s: float | None = None
    p95_s: float | None = None

    @property
    def failure_rate(self) -> float | None:
        """The share of failed jobs among those that completed or failed."""
        ended = self.completed + self.failed
        return self.failed / ended if ended else None


def view(request: HttpRequest) -> HttpResponse:
    """List all models with price, availability and failure rate."""
    if not request.user.has_perm("accounts.see_catalog"):
        raise PermissionDenied
    availability = current()
    unavailable = dict(availability.unavailable)
    off, waiting, weeks = switches.disabled(), _queued_by_model(), _weekly_stats()
    # The rows of the API itself, so that staff see what callers see.
    offered = discovery.list_rows(availability, settings.TARGET_GROSS_MARGIN)
    rows = [
        {
            "model": model,
            "price": row["economics"],
            "unavailability": unavailable.get(model.id),
            "is_off": model.id in off.models,
            "waiting": waiting.get(model.id, 0) if unavailable.get(model.id) else 0,
            "week": weeks.get(model.id, WeeklyStats()),
        }
        for model, row in ((registry.get(row["id"]), row) for row in offered)
    ]
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Models",
        "rows": rows,
        "margin": settings.TARGET_GROSS_MARGIN,
        "providers": _providers(unavailable, off),
        "can_switch": request.user.has_perm("accounts.act_on_catalog"),
    }
    return TemplateResponse(request, "admin/console/models.html", context)


def _providers(
    unavailable: dict[str, Unavailability], off: switches.DisabledNames
) -> list[dict[str, Any]]:
    """Return for each provider whether it can be called and how busy it is; never its key."""
    by_name: dict[str, list[str]] = {}
    for model in registry.models():
        by_name.setdefault(model.provider, []).append(model.id)
    return [
        {
            "name": name,
            "is_off": name in off.providers,
            "is_configured": VENDORS[name].is_configured,
            "most": VENDORS[name].max_concurrency,
            "in_use": concurrency.in_use(name),
            "paused": [
                one for one in models if (met := unavailable.get(one)) and met.reason == FAILING
            ],
        }
        for name, models in sorted(by_name.items())
    ]


def _queued_by_model() -> dict[str, int]:
    """Count the queued jobs of each model."""
    queued = Job.objects.filter(status=states.QUEUED).order_by()
    return dict(queued.values_list("model_id").annotate(jobs=Count("id")))


def _weekly_stats() -> dict[str, WeeklyStats]:
    since = clock.utc_day(clock.now()) - timedelta(days=7)
    weeks: dict[str, WeeklyStats] = {}
    for day in ModelDay.objects.filter(day__gt=since).order_by("day"):
        so_far = weeks.get(day.model_id, WeeklyStats())
        is_timed = day.median_s is not None
        weeks[day.model_id] = WeeklyStats(
            completed=so_far.completed + day.completed,
            failed=so_far.failed + day.failed,
            median_s=day.median_s if is_timed else so_far.median_s,
            p95_s=day.p95_s if is_timed else so_far.p95_s,
        )
    return weeks


def switch(request: HttpRequest) -> HttpResponse:
    """Preview the effect, ask for a reason, then enable or disable."""
    if not request.user.has_perm("accounts.act_on_catalog"):
        raise PermissionDenied
    second_factor.require_recent(request)
    is_posted = request.method == "POST"
    query = request.POST if is_posted else request.GET
    form = SwitchForm(query) if is_posted else SwitchForm(initial=query.dict())
    if is_posted and form.is_valid():
        try:
            done = switches.set_enabled(user=request_user(request), **form.cleaned_data)
        except InvalidArguments as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{done.name} is {'enabled' if done.is_on else 'disabled'}.")
        return HttpResponseRedirect(reverse("admin:console_models"))
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Enable" if query.get("is_on") == "1" else "Disable",
        "form": form,
        "query": query,
        "active_jobs": _active_jobs(query.get("kind", ""), query.get("name", "")),
        "back": reverse("admin:console_models"),
    }
    return TemplateResponse(request, "admin/console/switch.html", context)


def _active_jobs(kind: str, name: str) -> dict[str, int]:
    """Count the jobs that disabling does not stop: those queued and those started."""
    column = "provider_id" if kind == Switch.Kind.PROVIDER else "model_id"
    rows = Job.objects.filter(completed_at=None, **{column: name}).order_by()
    by_status = dict(rows.values_list("status").annotate(jobs=Count("id")))
    queued = by_status.pop(states.QUEUED, 0)
    return {"queued": queued, "started": sum(by_status.values())}
