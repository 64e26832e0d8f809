"""Addresses of the console's lists and pages, and whether a person may open them."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse


def may_see(request: HttpRequest, model: type[Model]) -> bool:
    """Return whether the user may see the list of these rows."""
    return bool(admin.site.get_model_admin(model).has_view_permission(request))


def list_url(model: type[Model], query: dict[str, Any] | None = None) -> str:
    """Return the address of a list, filtered."""
    opts = model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist", query=query)


def page_url(thing: Model) -> str:
    """Return the address of one object's page."""
    opts = thing._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[thing.pk])
