"""Where the console may be reached: its host and the networks that may come in."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from imageskill.lib.http import client_ip, is_in_networks


class ConsoleAccessMiddleware:
    """Answers 404 to the console's path from other hosts or networks than the settings allow.

    404 and not 403: to everybody else there is no console here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Let pass or turn away."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Turn away before the console's view runs."""
        if not request.path.startswith(f"/{settings.ADMIN_PATH}"):
            return
        found = request.get_host().lower()
        host = found.rpartition(":")[0] or found
        if settings.ADMIN_HOST and settings.ADMIN_HOST not in {host, found}:
            raise Http404
        if settings.ADMIN_NETWORKS and not is_in_networks(
            client_ip(request), settings.ADMIN_NETWORKS
        ):
            raise Http404
