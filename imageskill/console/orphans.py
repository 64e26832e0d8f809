"""Orphans: results that were paid for but never stored, and pictures that were never charged."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from jobs import states
from jobs.models import Asset, Job, Loss

_SHOWN = 50


def view(request: HttpRequest) -> HttpResponse:
    """List what hangs between the provider, the storage and the ledger."""
    if not request.user.has_perm("accounts.see_jobs"):
        raise PermissionDenied
    unstored = Job.objects.filter(status=states.STORING).select_related("agent")
    unknown = Job.objects.filter(completed_at=None).exclude(outcome_unknown_at=None)
    uncharged = Asset.objects.filter(
        job__status=states.COMPLETED, job__credits_captured__isnull=True, job__credits_held__gt=0
    ).select_related("job")
    lost = Loss.objects.filter(reason=Loss.Reason.NOT_STORED).select_related("job")
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Orphans",
        "unstored": list(unstored.order_by("-pk")[:_SHOWN]),
        "unknown": list(unknown.select_related("agent").order_by("-pk")[:_SHOWN]),
        "uncharged": list(uncharged.order_by("-pk")[:_SHOWN]),
        "lost": list(lost.order_by("-pk")[:_SHOWN]),
    }
    return TemplateResponse(request, "admin/console/orphans.html", context)
