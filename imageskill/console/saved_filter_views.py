"""Saving and deleting views: the filters of a list under a name."""

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.request_user import request_user
from imageskill.console import saved_filters


class SaveFilterForm(forms.Form):
    """A list, its filters and a name; or the view to delete."""

    model = forms.CharField(max_length=100)
    name = forms.CharField(max_length=60)
    query = forms.CharField(max_length=2000, required=False)
    forget = forms.BooleanField(required=False)


@require_POST
def view(request: HttpRequest) -> HttpResponse:
    """Save or delete a view, then redirect to the list."""
    form = SaveFilterForm(request.POST)
    if not form.is_valid():
        raise Http404
    model, name, query = (form.cleaned_data[part] for part in ("model", "name", "query"))
    address = _list_url(request, model)
    if form.cleaned_data["forget"]:
        saved_filters.delete(user=request_user(request), model=model, name=name)
        return HttpResponseRedirect(address)
    try:
        saved_filters.save(user=request_user(request), model=model, name=name, query=query)
    except saved_filters.TooManyFilters as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"View “{name}” saved.")
    return HttpResponseRedirect(f"{address}?{query}")


def _list_url(request: HttpRequest, model: str) -> str:
    """Return the list's URL where the user may see it; redirects lead nowhere else."""
    try:
        model_admin = admin.site.get_model_admin(apps.get_model(model))
    except (LookupError, ValueError, NotRegistered):
        raise Http404 from None
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    return reverse(f"admin:{model.replace('.', '_')}_changelist")
