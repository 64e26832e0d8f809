"""How our own processes are started: web, worker, scheduler, set-up, stand-ins."""

import sys
from pathlib import Path

_BIN = Path(sys.executable).parent


def web(*, host: str, port: int, workers: int = 2, threads: int = 200) -> list[str]:
    """Return the web server's command; see the ADR on granian for the figures."""
    return [
        *(str(_BIN / "granian"), "--interface", "wsgi", "--no-ws", "--http", "1"),
        *("--host", host, "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(threads)),
        # Connections, not requests: idle ones must not keep others out.
        *("--backpressure", "4096", "--backlog", "4096"),
        *("--http1-header-read-timeout", "20000"),
        *("--respawn-failed-workers", "--workers-kill-timeout", "10"),
        *("--log-level", "warning"),
        "imageskill.wsgi:application",
    ]


def worker(*, threads: int = 64, queues: str = "default,jobs,thumbnails") -> list[str]:
    """Return the worker's command; threads, because it mostly waits for providers."""
    return [
        *_celery("worker"),
        *("--pool", "threads", "--concurrency", str(threads), "--queues", queues),
        *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
    ]


def scheduler(*, state: Path) -> list[str]:
    """Return the scheduler's command; `state` remembers what ran when."""
    return [*_celery("beat"), "--schedule", str(state), "--pidfile=", "--loglevel", "INFO"]


def manage(*arguments: str) -> list[str]:
    """Return Django's command line."""
    return [sys.executable, "-m", "django", *arguments]


def stand_in(name: str, *, url_file: Path, port: int, state_file: Path | None = None) -> list[str]:
    """Return a stand-in's command; it writes its settings to `url_file` once it answers.

    With a `state_file` it goes on where an earlier process ended.
    """
    command = [sys.executable, "-m", f"imageskill.dev.standins.{name}", "--url-file", str(url_file)]
    kept = ["--state-file", str(state_file)] if state_file else []
    return [*command, "--port", str(port), *kept]


def _celery(command: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app", "imageskill.celery", "--quiet", command]
