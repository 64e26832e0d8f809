"""The fixture `demo_history`: a made-up history of which every list has something.

It is made once a run, in a database of its own; each module that asks looks at a copy. On servers
that were given it is made by each process.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from imageskill.dev.demo import history
from jobs.catalog import switches

SMALL = history.Size(agents=30, jobs=120, reports=30)


@pytest.fixture(scope="session")
def _original(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Path]:
    """The folder of the history's files, named as its database."""
    folder = Path(os.environ.get("TEST_RUN_FOLDER") or os.environ["DATA_DIR"])
    with django_db_blocker.unblock():
        original = folder / _made(folder)
    yield original
    if "TEST_RUN_FOLDER" not in os.environ:  # otherwise it ends with the server
        with django_db_blocker.unblock():
            drop(original.name)


@pytest.fixture(scope="module")
def demo_history(
    _original: Path, django_db_blocker: DjangoDbBlocker, tmp_path_factory: Any
) -> Iterator[None]:
    """Look at a history, in a copy that is this module's to change."""
    files = tmp_path_factory.mktemp("history") / "files"
    copy = f"{connection.settings_dict['NAME']}_history"
    with django_db_blocker.unblock():
        shutil.copytree(_original, files)
        create(copy, template=_original.name)
        with connected_to(copy), _stored_in(files):
            switches.clear_cache()  # one model was switched off
            yield
        drop(copy)
    switches.clear_cache()


def _made(folder: Path) -> str:
    """Return the name of its database, which the folder of its files has too; make it at need."""
    name = "test_history"
    if "TEST_RUN_FOLDER" not in os.environ:
        name += f"_{os.getpid()}"
    with (folder / "history.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / name).exists():
            _make(name, folder / f"{name}.new")
            (folder / f"{name}.new").rename(folder / name)
    return name


def _make(name: str, files: Path) -> None:
    files.mkdir()
    create(name, template=os.environ.get("TEST_DATABASE_TEMPLATE"))
    with connected_to(name), _stored_in(files):
        call_command("migrate", verbosity=0)
        history.make(seed=1, size=SMALL, say=lambda text: None)
        history.check_books(lambda text: None)


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Have `connection` lead to another database of the tests' server."""
    before = connection.settings_dict["NAME"]
    _connect_to(name)
    try:
        yield
    finally:
        _connect_to(before)


def _connect_to(name: str) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = name


@contextmanager
def _stored_in(files: Path) -> Iterator[None]:
    kept = {**settings.STORAGES["kept"]}
    kept["OPTIONS"] = {**kept["OPTIONS"], "location": files / "kept"}
    storages = {**settings.STORAGES, "kept": kept}
    with override_settings(MEDIA_ROOT=files / "media", STORAGES=storages):
        yield


def create(name: str, *, template: str | None) -> None:
    """Make a database, a copy of `template` where one is named."""
    drop(name)
    _execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))


def drop(name: str) -> None:
    """Drop a database, whoever is connected to it."""
    _execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _execute(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)
