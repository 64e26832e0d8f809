"""Servers of a test's own, to be stopped, killed and started again without harm to others."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from imageskill.dev.embedded.postgres import Postgres
from imageskill.dev.embedded.valkey import Valkey
from tests import migrated


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """A folder for servers, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="imageskill-own-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_postgres(server_folder: Path) -> Iterator[Postgres]:
    """A started PostgreSQL that nobody else uses; `kill`, `stop` and `start` it at will."""
    server = Postgres(server_folder, throwaway=True, template=migrated.empty_folder())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def migrated_postgres(server_folder: Path) -> Iterator[Postgres]:
    """The same with all migrations applied to `app`; what follows them is not yet done."""
    server = Postgres(server_folder, throwaway=True, template=migrated.data_folder())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_valkey(server_folder: Path) -> Iterator[Valkey]:
    """A started Valkey that nobody else uses and that keeps its data on disk."""
    server = Valkey(server_folder)
    server.start()
    yield server
    server.stop()
