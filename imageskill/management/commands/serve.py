"""Become one of the processes of an installation."""

import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandParser

from imageskill import draining, programs
from imageskill.lib import metrics


class Command(BaseCommand):
    """Replace this process by the web server, a worker or the scheduler, with our options."""

    help = "Run the web server, a worker or the scheduler."
    requires_system_checks = ()  # `check --deploy` belongs before a deployment, not in a restart

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a process and its size."""
        kinds = parser.add_subparsers(dest="kind", required=True)
        web = kinds.add_parser("web", help="one or more machines")
        web.add_argument("--host", default="127.0.0.1")
        web.add_argument("--port", type=int, default=8000)
        web.add_argument("--workers", type=int, default=2, help="processes")
        web.add_argument("--threads", type=int, default=200, help="of each process")
        worker = kinds.add_parser("worker", help="at least one for each queue")
        queues = worker.add_argument("--queues", default=None)
        queues.help = f"{programs.JOB_QUEUES} or {programs.OTHER_QUEUES}; all by default"
        threads = worker.add_argument("--threads", type=int, default=None)
        threads.help = (
            f"{programs.JOB_THREADS} for jobs, {programs.OTHER_THREADS} for others; more than all"
            " providers together may run at once"
        )
        metrics_port = worker.add_argument("--metrics-port", type=int, default=None)
        metrics_port.help = "instead of METRICS_PORT, which workers of one machine can't share"
        scheduler = kinds.add_parser("scheduler", help="exactly one")
        default = settings.DATA_DIR / "scheduler"
        scheduler.add_argument("--state", type=Path, default=default, help="file, kept")

    def handle(self, *, kind: str, **options: Any) -> None:
        """Become the process; signals reach it directly."""
        command = _command(kind, options)
        os.execv(command[0], command)  # noqa: S606 (a fixed program)


def _command(kind: str, options: dict[str, Any]) -> list[str]:
    match kind:
        case "web":
            return _web(options)
        case "worker":
            if options["metrics_port"] is not None:
                os.environ["METRICS_PORT"] = str(options["metrics_port"])
            return _worker(options["queues"] or programs.ALL_QUEUES, options["threads"])
        case _:
            return programs.scheduler(state=options["state"])


def _web(options: dict[str, Any]) -> list[str]:
    os.environ.update(metrics.temporary_folder())
    server = programs.web(
        host=options["host"],
        port=options["port"],
        workers=options["workers"],
        threads=options["threads"],
    )
    if not settings.DRAIN_S:
        return server
    default = Path(tempfile.gettempdir(), f"imageskill-draining-{options['port']}")
    file = Path(settings.DRAIN_FILE or default)
    return draining.command(server, seconds=settings.DRAIN_S, file=file)


def _worker(queues: str, threads: int | None) -> list[str]:
    if threads is None:
        serves_jobs = programs.JOB_QUEUES in queues.split(",")
        threads = programs.JOB_THREADS if serves_jobs else programs.OTHER_THREADS
    return programs.worker(threads=threads, queues=queues)
