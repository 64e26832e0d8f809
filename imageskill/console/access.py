"""Which host and networks may reach the console."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from imageskill.lib.http import client_ip, is_in_networks


class ConsoleAccessMiddleware:
    """Answers 404 for the console's path to hosts and networks that the settings do not allow.

    404 and not 403, so as not to reveal that there is a console here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Raise `Http404` before the console's view runs."""
        if not request.path.startswith(f"/{settings.ADMIN_PATH}"):
            return
        with_port = request.get_host().lower()
        host = with_port.rpartition(":")[0] or with_port
        if settings.ADMIN_HOST and settings.ADMIN_HOST not in {host, with_port}:
            raise Http404
        if settings.ADMIN_NETWORKS and not is_in_networks(
            client_ip(request), settings.ADMIN_NETWORKS
        ):
            raise Http404
