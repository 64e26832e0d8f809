"""Run every measurement, print one table, fail when a target is missed."""

import importlib
import os
import pkgutil
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

import django
from django.core.management import call_command

from imageskill.dev.embedded.postgres import Postgres
from imageskill.dev.embedded.valkey import Valkey
from tests import bench
from tests.bench.house import House
from tests.bench.rows import Row, table

_NO_MEASUREMENT = {"__main__", "house", "load", "rows", "settings", "urls"}


def main() -> int:
    """Measure on durable servers of this run's own: commits cost what they cost."""
    folder = Path(tempfile.mkdtemp(prefix="imageskill-bench-"))
    postgres, valkey = Postgres(folder), Valkey(folder)
    postgres.start()
    valkey.start()
    try:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="tests.bench.settings",
            DEVELOPMENT="true",
            SECRET_KEY="known-to-everybody-and-good-for-measuring-only-0123456789",
            DATABASE_URL=postgres.url(),
            REDIS_URL=valkey.url(),
            DATA_DIR=str(folder),
            STATIC_ROOT=str(folder / "static"),
        )
        (folder / "static").mkdir()
        django.setup()
        call_command("migrate", verbosity=0)
        rows = _measure_all(folder)
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    _say(table(rows))
    return 1 if any(row.is_met is False for row in rows) else 0


def _measure_all(folder: Path) -> list[Row]:
    rows: list[Row] = []
    only = os.environ.get("ONLY")
    for module in pkgutil.iter_modules(bench.__path__):
        if module.name in _NO_MEASUREMENT or (only and module.name != only):
            continue
        began = time.monotonic()
        rows += _measure(module.name, House(folder))
        _say(f"{module.name}: {time.monotonic() - began:.0f} s")
    return rows


def _measure(name: str, house: House) -> list[Row]:
    """Return the rows of one measurement; one that breaks is a row, and the others go on."""
    try:
        measured: list[Row] = importlib.import_module(f"tests.bench.{name}").measure(house)
    except Exception as error:  # whatever it was, the table of the rest is worth having
        traceback.print_exc()
        return [Row(name, f"broke: {type(error).__name__}", is_met=False)]
    return measured


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
