"""`imageskill-manage restore_check`: whether a restored copy can serve; exit 1 where it can't."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from billing.ledger import checks
from jobs.assets import verification


class Command(BaseCommand):
    """Reads only; for a copy beside the running installation as well as for the real one."""

    help = "Check a restored copy: migrations, ledger, and the files of some images."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare how many images are looked at."""
        size = parser.add_mutually_exclusive_group()
        size.add_argument("--sample", type=int, default=200, help="images, half of them the newest")
        size.add_argument("--all", action="store_true", help="every image; takes long")

    def handle(self, *, sample: int, all: bool, **_: Any) -> None:  # noqa: A002 (the option's name)
        """Print each problem as it is found."""
        count = 0
        for problem in self._problems(None if all else sample):
            self.stdout.write(problem)
            count += 1
        if count:
            raise CommandError(f"{count} problems: this copy is not what was backed up.")
        self.stdout.write(self.style.SUCCESS("The copy is complete."))

    def _problems(self, size: int | None) -> Iterator[str]:
        behind = list(self._migrations())
        yield from behind
        if not behind:  # otherwise tables may be missing that the others read
            yield from self._books()
            yield from self._files(size)

    def _migrations(self) -> Iterator[str]:
        executor = MigrationExecutor(connection)
        known = executor.loader.disk_migrations
        for app, name in sorted(executor.loader.applied_migrations):
            if app in executor.loader.migrated_apps and (app, name) not in known:
                yield f"migrations: {app}.{name} is of another release than this one"
        for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
            yield f"migrations: {migration} is not applied: run bootstrap"

    def _books(self) -> Iterator[str]:
        for problem in checks.find_problems(say=self.stderr.write):
            yield f"ledger: {problem.check}: {problem.subject}: {problem.message}"

    def _files(self, size: int | None) -> Iterator[str]:
        looked_at = 0

        def counted() -> Iterator[Any]:
            nonlocal looked_at
            for asset in verification.sample(size):
                looked_at += 1
                yield asset

        for problem in verification.find_problems(counted()):
            yield f"images: {problem.asset}: {problem.message}"
        self.stdout.write(f"{looked_at} images looked at.")
