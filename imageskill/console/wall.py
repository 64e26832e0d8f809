"""The thumbnail wall: pictures with the verdict of their check, failures first."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from jobs.models import AssetCheck

_PAGE = 48


def view(request: HttpRequest) -> HttpResponse:
    """Show a page of checked pictures; `after` leads on by key."""
    if not request.user.has_perm("accounts.see_jobs"):
        raise PermissionDenied
    only = "all" if request.GET.get("show") == "all" else "failed"
    checks = AssetCheck.objects.select_related("asset__job", "same_as").order_by("-pk")
    if only == "failed":
        checks = checks.filter(is_good=False)
    after = request.GET.get("after", "")
    if after.isascii() and after.isdigit():
        checks = checks.filter(pk__lt=int(after))
    page = list(checks[: _PAGE + 1])
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Thumbnail wall",
        "checks": page[:_PAGE],
        "only": only,
        "next": page[_PAGE - 1].pk if len(page) > _PAGE else None,
    }
    return TemplateResponse(request, "admin/console/wall.html", context)
