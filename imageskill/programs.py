"""The processes of an installation and how each is started: web, workers, scheduler."""

import sys
from pathlib import Path

JOB_QUEUES = "jobs"
OTHER_QUEUES = "default,thumbnails"
ALL_QUEUES = f"{OTHER_QUEUES},{JOB_QUEUES}"
JOB_THREADS = 320
"""Of a worker of jobs: above what all providers together may run at once (`…_CONCURRENCY`), so that
one that is slow, with all its runs, leaves threads for the others. Only those in use exist."""
OTHER_THREADS = 16


def web(
    *, host: str, port: int, workers: int = 2, threads: int = 200, kill_timeout_s: int = 60
) -> list[str]:
    """Return the web server's command; see the ADR on granian for the figures.

    A process that is told to stop has `kill_timeout_s` to answer what it began.
    """
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--http", "1"),
        *("--host", host, "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(threads)),
        # Connections, not requests: idle ones must not keep others out.
        *("--backpressure", "4096", "--backlog", "4096"),
        *("--http1-header-read-timeout", "20000"),
        *("--respawn-failed-workers", "--workers-kill-timeout", str(kill_timeout_s)),
        *("--log-level", "warning"),
        "imageskill.wsgi:application",
    ]


def worker(*, threads: int = JOB_THREADS, queues: str = ALL_QUEUES) -> list[str]:
    """Return a worker's command; threads, because it mostly waits for providers.

    Sweeps, payments, mail and heartbeats have a worker of their own in production.
    """
    return [
        *_celery("worker"),
        *("--pool", "threads", "--concurrency", str(threads), "--queues", queues),
        *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
    ]


def scheduler(*, state: Path) -> list[str]:
    """Return the scheduler's command; `state` remembers what ran when."""
    return [*_celery("beat"), "--schedule", str(state), "--pidfile=", "--loglevel", "INFO"]


def _celery(command: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app", "imageskill.celery", "--quiet", command]
