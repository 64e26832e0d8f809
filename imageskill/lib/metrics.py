"""What this process counts and times, for Prometheus.

A label holds names of ours alone: routes, tasks, providers, outcomes; never an id, an address or
what a caller sent. Processes of one web server share a folder (`PROMETHEUS_MULTIPROC_DIR`), so that
whichever is asked answers for all. Figures of the installation as a whole, which any process can
read from the database and Redis, are in `imageskill.monitoring.figures`.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import REGISTRY as OF_THIS_PROCESS
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own name for the folder that processes share; it must be set before they start."""

_PREFIX = "imageskill-metrics-"
_REQUEST_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_CALL_SECONDS = (0.1, 0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640)

REQUESTS = Counter("imageskill_http_requests", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "imageskill_http_request_seconds",
    "From a request's arrival to its answer.",
    ["route"],
    buckets=_REQUEST_SECONDS,
)
WAITING_CALLERS = Gauge(
    "imageskill_waiting_callers",
    "Requests that wait for their job.",
    multiprocess_mode="livesum",
)
POOL_CONNECTIONS = Gauge(
    "imageskill_database_pool_connections",
    "Connections of the processes' pools: in use, and requests that wait for one.",
    ["state"],
    multiprocess_mode="livesum",
)
CLOCK_CORRECTION_SECONDS = Gauge(
    "imageskill_clock_correction_seconds",
    "By how much the machine's clock differs from the database's, where it does.",
    multiprocess_mode="liveall",
)
TASKS = Counter("imageskill_tasks", "Tasks that a worker ran.", ["task", "outcome"])
TASK_SECONDS = Histogram(
    "imageskill_task_seconds", "How long a task ran.", ["task"], buckets=_CALL_SECONDS
)
PROVIDER_CALLS = Counter(
    "imageskill_provider_calls",
    "Calls to a provider; the outcome is ok or a name of the failure table.",
    ["provider", "call", "outcome"],
)
PROVIDER_SECONDS = Histogram(
    "imageskill_provider_call_seconds",
    "How long a provider took to answer a call.",
    ["provider", "call"],
    buckets=_CALL_SECONDS,
)
JOBS_ENDED = Counter(
    "imageskill_jobs_ended",
    "Jobs that this process ended, by status and error code.",
    ["provider", "model", "status", "error"],
)
MAILS = Counter("imageskill_mails", "Mails given to the mail server.", ["outcome"])


@contextmanager
def counted(counter: Counter) -> Iterator[None]:
    """Count the block by its outcome, ok or failed; what it raises goes on."""
    outcome = "failed"
    try:
        yield
        outcome = "ok"
    finally:
        counter.labels(outcome).inc()


def registry() -> CollectorRegistry:
    """Return what all processes that share the folder counted, or this one alone without."""
    if not os.environ.get(FOLDER):
        return OF_THIS_PROCESS
    _forget_ended_processes(Path(os.environ[FOLDER]))
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


def new_folder(folder: Path) -> dict[str, str]:
    """Empty a folder for the processes of a server that is about to start; return its setting.

    What processes of an earlier start counted would be added to what these do.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {FOLDER: str(folder)}


def temporary_folder() -> dict[str, str]:
    """Make a folder for the web server that this process becomes; return its setting.

    Its name has the process's id: a temporary folder may outlive servers, and what those that
    have ended left is removed.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = re.fullmatch(rf"{_PREFIX}(\d+)-\w+", folder.name)
        if owner and (int(owner[1]) == os.getpid() or not _is_running(int(owner[1]))):
            shutil.rmtree(folder, ignore_errors=True)
    return {FOLDER: tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")}


def _forget_ended_processes(folder: Path) -> None:
    """Remove what processes that a server has replaced since said of their state at the end."""
    for file in folder.glob("gauge_live*_*.db"):
        if not _is_running(int(file.stem.rpartition("_")[2])):
            file.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True
