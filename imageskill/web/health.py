"""Whether this installation can do its work."""

from pathlib import Path
from typing import Literal

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe
from ninja import Router

from imageskill import __version__
from imageskill.lib.clock import iso, now
from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import ServiceUnavailable
from imageskill.lib.http import ApiRequest
from imageskill.lib.queue import QUEUES
from imageskill.lib.redis.client import RedisUnavailable, client
from imageskill.lib.schemas import Data
from imageskill.web import storage_probe

# Asked by load balancers, by whatever name or address they know this process.
PROBES = ("/healthz", "/livez", "/readyz")
ASKED_BY_ADDRESS = (*PROBES, "/metrics")

SCHEDULER = "scheduler"

log = structlog.get_logger(__name__)
router = Router(tags=["discovery"])


Verdict = Literal["ok", "down"]


class Health(Data):
    """Ready or not, and each part's own state."""

    status: Literal["ok", "degraded"]
    api_version: str
    checks: dict[str, Verdict]


@router.get(
    "/healthz",
    response=Health,
    operation_id="get_health",
    openapi_extra=openapi_command("image-skill doctor"),
    summary="Check that the service can answer",
)
def healthz(request: ApiRequest) -> Health:
    """Answer 200 while the API can answer (degraded names what is down), 503 without database."""
    return check()


def check() -> Health:
    """Return the state of each part; raises ServiceUnavailable without the database."""
    if not _database_answers():
        raise ServiceUnavailable("The database does not answer.")
    checks: dict[str, Verdict] = {
        "database": "ok",
        "broker": _status(_broker_answers()),
        "storage": _status(storage_probe.probe.works()),
        "worker": _status(_workers_are_alive()),
    }
    healthy = all(verdict == "ok" for verdict in checks.values())
    return Health(status="ok" if healthy else "degraded", api_version=__version__, checks=checks)


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """Answer that this process does, for load balancers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer whether this process can serve: 503 while it drains or can't reach the database."""
    if settings.DRAIN_FILE and Path(settings.DRAIN_FILE).exists():
        return JsonResponse({"status": "draining"}, status=503)
    is_ready = _database_answers()
    status = "ok" if is_ready else "unavailable"
    return JsonResponse({"status": status}, status=200 if is_ready else 503)


urlpatterns = [path("livez", livez), path("readyz", readyz)]


def _status(works: bool) -> Verdict:
    return "ok" if works else "down"


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("database_down", error=type(error).__name__)
        return False
    return True


def _broker_answers() -> bool:
    try:
        return bool(client().ping())
    except RedisUnavailable:
        return False


def _workers_are_alive() -> bool:
    """Return whether each queue's heartbeat is recent: a live process may take no tasks (ADR 3)."""
    try:
        return client().exists(*map(heartbeat_key, QUEUES)) == len(QUEUES)
    except RedisUnavailable:
        return False


def heartbeat_key(name: str) -> str:
    """Return the Redis key of the last heartbeat of a queue, or of the scheduler."""
    return f"canary:{name}"


def record_heartbeat(name: str) -> None:
    """Record that a worker of this queue took a task just now, or that the scheduler sent one."""
    client().set(heartbeat_key(name), iso(now()), ex=settings.CANARY_MAX_AGE_S)
