"""Counts and times tasks, and serves a worker's counters on a port of its own."""

import time
from typing import Any

import structlog
from celery.signals import task_postrun, task_prerun, worker_ready
from django.conf import settings
from prometheus_client import start_http_server

from imageskill.lib import clock, metrics

log = structlog.get_logger(__name__)

_began: dict[str, float] = {}


@task_prerun.connect
def begin(task_id: str = "", **_: object) -> None:
    """Note when a task began."""
    _began[task_id] = time.perf_counter()


@task_postrun.connect
def end(task_id: str = "", task: Any = None, state: str | None = None, **_: object) -> None:
    """Count a task that ended, and how long it took."""
    began = _began.pop(task_id, None)
    metrics.TASKS.labels(task.name, (state or "unknown").lower()).inc()
    metrics.CLOCK_CORRECTION_SECONDS.set(clock.correction_s())
    if began is not None:
        metrics.TASK_SECONDS.labels(task.name).observe(time.perf_counter() - began)


@worker_ready.connect
def serve(**_: object) -> None:
    """Answer Prometheus on `METRICS_PORT`, where that is set; a taken port is told, not fatal."""
    if not settings.METRICS_PORT:
        return
    try:
        start_http_server(settings.METRICS_PORT, addr=settings.METRICS_HOST)
    except OSError as error:
        log.warning("metrics_not_served", port=settings.METRICS_PORT, error=error.strerror)
