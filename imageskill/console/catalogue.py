"""Models and providers: whether each can run, how it does, and switching it off and on."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.visitors import me
from imageskill.errors import InvalidArguments
from imageskill.lib import clock
from imageskill.lib.admin import second_factor
from imageskill.lib.admin.deeds import ReasonForm
from jobs import availability, registry, switches
from jobs.models import ModelDay, Switch


class SwitchForm(ReasonForm):
    """What to switch, which way, and why."""

    kind = forms.ChoiceField(choices=Switch.Kind.choices, widget=forms.HiddenInput)
    name = forms.CharField(max_length=128, widget=forms.HiddenInput)
    is_on = forms.TypedChoiceField(
        choices=[("1", "on"), ("0", "off")],
        coerce=lambda text: text == "1",
        empty_value=None,
        widget=forms.HiddenInput,
    )


def view(request: HttpRequest) -> HttpResponse:
    """List all models by provider with what stands in their way today."""
    if not request.user.has_perm("accounts.see_catalog"):
        raise PermissionDenied
    obstacles = dict(availability.current().obstacles)
    off = switches.off()
    today = {row.model_id: row for row in ModelDay.objects.filter(day=clock.utc_day(clock.now()))}
    rows = [
        {
            "model": model,
            "obstacle": obstacles.get(model.id),
            "is_off": model.id in off.models,
            "today": today.get(model.id),
        }
        for model in registry.models()
    ]
    providers = sorted({model.provider for model in registry.models()})
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Models and providers",
        "rows": rows,
        "providers": [{"name": name, "is_off": name in off.providers} for name in providers],
        "may_switch": request.user.has_perm("accounts.act_on_catalog"),
    }
    return TemplateResponse(request, "admin/console/models.html", context)


def switch(request: HttpRequest) -> HttpResponse:
    """Ask for a reason, say what follows, switch."""
    if not request.user.has_perm("accounts.act_on_catalog"):
        raise PermissionDenied
    second_factor.require_lately(request)
    is_posted = request.method == "POST"
    asked = request.POST if is_posted else request.GET
    form = SwitchForm(asked) if is_posted else SwitchForm(initial=asked.dict())
    if is_posted and form.is_valid():
        try:
            done = switches.turn(user=me(request), **form.cleaned_data)
        except InvalidArguments as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{done.name} is {'on' if done.is_on else 'off'}.")
        return HttpResponseRedirect(reverse("admin:console_models"))
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Switch on" if asked.get("is_on") == "1" else "Switch off",
        "form": form,
        "asked": asked,
        "back": reverse("admin:console_models"),
    }
    return TemplateResponse(request, "admin/console/switch.html", context)
