"""Counts and times every request that reaches Django."""

import time
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from imageskill.lib import clock, metrics

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class MetricsMiddleware:
    """The outermost middleware: what others refuse is counted too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        began = time.perf_counter()
        response = self.get_response(request)
        # A path is anybody's to invent; a route is one of ours.
        route = getattr(request.resolver_match, "route", "") or "other"
        method = request.method if request.method in _METHODS else "other"
        metrics.REQUESTS.labels(method, route, response.status_code).inc()
        metrics.REQUEST_SECONDS.labels(route).observe(time.perf_counter() - began)
        _observe_process()
        return response


def _observe_process() -> None:
    metrics.CLOCK_CORRECTION_SECONDS.set(clock.correction_s())
    pool = getattr(connection, "pool", None)  # none where it is switched off
    if pool is not None:
        figures = pool.get_stats()
        in_use = figures.get("pool_size", 0) - figures.get("pool_available", 0)
        metrics.POOL_CONNECTIONS.labels("in_use").set(in_use)
        metrics.POOL_CONNECTIONS.labels("waited_for").set(figures.get("requests_waiting", 0))
