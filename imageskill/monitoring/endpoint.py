"""`GET /metrics`: what Prometheus reads from a web server."""

import hmac

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from imageskill.lib import metrics
from imageskill.lib.http import client_ip, is_in_networks
from imageskill.monitoring.figures import Figures

_figures = CollectorRegistry()
_figures.register(Figures())


@require_safe
def view(request: HttpRequest) -> HttpResponse:
    """Answer with this server's counters and the installation's figures.

    404 for callers with neither the token nor an address in `METRICS_NETWORKS`, so as not to
    reveal that there is something here.
    """
    if not _is_allowed(request):
        raise Http404
    body = generate_latest(metrics.registry()) + generate_latest(_figures)
    return HttpResponse(
        body, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
    )


def _is_allowed(request: HttpRequest) -> bool:
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if settings.METRICS_TOKEN and hmac.compare_digest(given.encode(), expected.encode()):
        return True
    return is_in_networks(client_ip(request), settings.METRICS_NETWORKS)


urlpatterns = [path("metrics", view)]
