"""Data folders of PostgreSQL, an empty one and one with all migrations: made once, then copied.

The database `app` of the second is for a test's own installation. Its copy `migrated` is what test
databases are made from: nobody connects to that one, which PostgreSQL would refuse to copy
otherwise. What follows migrations (groups, permissions, system wallets) is left to each
database's own `migrate`.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import django
import psycopg
from django.core.management import call_command

from imageskill.dev.embedded.postgres import Postgres
from imageskill.lib.postgresql import session_settings

DATABASE = "migrated"
_ROOT = Path(__file__).resolve().parents[1]
_CACHE = _ROOT / ".pytest_cache" / "d" / "migrated"
_DEPENDS_ON = (
    "*/migrations/*.py",
    "imageskill/settings.py",
    "imageskill/dev/embedded/postgres.py",
    "requirements/test.txt",
    "tests/migrated.py",
)


def data_folder() -> Path:
    """Return the folder with all migrations, made first where one has changed since."""
    return next((_made() / "migrated").glob("postgres-*[0-9]"))


def empty_folder() -> Path:
    """Return the folder of a server that was started once, without anything of ours."""
    return next((_made() / "empty").glob("postgres-*[0-9]"))


def _made() -> Path:
    _CACHE.mkdir(parents=True, exist_ok=True)
    made = _CACHE / _digest()
    with _locked():
        if not made.exists():
            _make(made)
    return made


def _digest() -> str:
    digest = hashlib.sha256()
    for file in sorted(file for pattern in _DEPENDS_ON for file in _ROOT.glob(pattern)):
        digest.update(f"{file.relative_to(_ROOT)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _locked() -> Iterator[None]:
    """Let other runs in this checkout wait for the one that makes it."""
    with (_CACHE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(made: Path) -> None:
    for old in _CACHE.iterdir():
        if old.is_dir():
            shutil.rmtree(old)
    draft = made.with_name("draft")
    (draft / "migrated").mkdir(parents=True)
    with _running(Postgres(draft / "empty", throwaway=True)) as empty:
        pass
    with _running(Postgres(draft / "migrated", throwaway=True, template=empty.data)) as server:
        _migrate(server.url())
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE app")
    draft.rename(made)


@contextmanager
def _running(server: Postgres) -> Iterator[Postgres]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _migrate(database_url: str) -> None:
    command = [sys.executable, "-m", "tests.migrated"]
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "imageskill.settings",
        "DEVELOPMENT": "true",
        "SECRET_KEY": "of-nothing-but-migrations-0123456789-0123456789-0123456789",
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run(
        command, cwd=_ROOT, env=env, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"a database for the tests could not be made:\n{done.stderr}")


def main() -> None:
    """Apply all migrations, and of what follows them only what sessions begin with."""
    django.setup()
    with mock.patch("django.core.management.commands.migrate.emit_post_migrate_signal"):
        call_command("migrate", verbosity=0, skip_checks=True)
    session_settings.sync()


if __name__ == "__main__":
    main()
