"""The error pages outside the API."""

import sys

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults

log = structlog.get_logger(__name__)

_RETRY_AFTER_S = "5"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 in JSON to programs, which look for what other services have; people get a page.

    Clients probe well-known addresses, registration and the like, and read the answer as JSON.
    """
    is_probe = request.path.startswith("/.well-known/")
    preferred = request.get_preferred_type(["text/html", "application/json"])
    if is_probe or preferred == "application/json":
        return JsonResponse(
            {"error": "not_found", "error_description": "There is nothing at this address."},
            status=404,
        )
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 when the database can't be reached, 500 for every other exception.

    Django calls this while it handles the exception, wherever it was raised: in a view, a template
    or a middleware.
    """
    error = sys.exc_info()[1]
    if not isinstance(error, OperationalError | InterfaceError):
        return defaults.server_error(request)
    log.error("database_gone", error=type(error).__name__)
    # Without the request: its user and its messages are read from the database.
    response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = _RETRY_AFTER_S
    response["Cache-Control"] = "no-store"
    return response
