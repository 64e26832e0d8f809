"""Become one of the processes of an installation."""

import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandParser

from imageskill import draining, programs


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
        worker.add_argument("--threads", type=int, default=64)
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
        case "worker" if options["queues"]:
            return programs.worker(threads=options["threads"], queues=options["queues"])
        case "worker":
            return programs.worker(threads=options["threads"])
        case _:
            return programs.scheduler(state=options["state"])


def _web(options: dict[str, Any]) -> list[str]:
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
