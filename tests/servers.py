"""A pytest plugin: PostgreSQL and Redis for a test run, before the settings are read.

Servers of our own, started once a run by the process that steers it; `DATABASE_URL` and
`REDIS_URL` name others instead. Each xdist worker has a database of its own on both. On a Redis
that was given, tests use and empty the databases from the named one's number plus 8.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import pytest
import redis

from imageskill.dev.embedded.postgres import Postgres
from imageskill.dev.embedded.valkey import Valkey
from tests import migrated

_SETTINGS = {
    "DEVELOPMENT": "true",
    "SECRET_KEY": "known-to-everybody-and-good-for-tests-only-0123456789",
    # Tests share a Redis and addresses; those that are about these limits set their own.
    "MAILS_PER_MINUTE_PER_INBOX": "1000",
    "MAILS_PER_DAY_PER_INBOX": "1000",
    "TELEMETRY_WRITER": "false",  # its thread would outlive the database; tests write by hand
}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Have servers and settings in place before pytest-django reads them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if not worker:
        _start_servers(early_config)
    folder = tempfile.mkdtemp(prefix="imageskill-test-")
    early_config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    # Cleanups run last first: threads that outlive the servers have nothing to say that matters.
    early_config.add_cleanup(lambda: logging.disable(logging.CRITICAL))
    static = Path(folder, "static")
    static.mkdir()
    os.environ.update(_SETTINGS, DATA_DIR=folder, STATIC_ROOT=str(static))
    if worker:
        os.environ["REDIS_URL"] = _database_of(worker)
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
            client.flushdb()
    return (yield)


def _start_servers(config: pytest.Config) -> None:
    if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
        os.environ["REDIS_URL"] = redis_database(os.environ["REDIS_URL"], plus=8)
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
            client.flushdb()
        return
    folder = Path(tempfile.mkdtemp(prefix="imageskill-servers-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    if "DATABASE_URL" not in os.environ:
        postgres = Postgres(folder, throwaway=True, template=migrated.data_folder())
        postgres.start()
        config.add_cleanup(postgres.stop)
        os.environ["DATABASE_URL"] = postgres.url()
        os.environ.update(TEST_DATABASE_TEMPLATE=migrated.DATABASE, TEST_RUN_FOLDER=str(folder))
    if "REDIS_URL" not in os.environ:
        valkey = Valkey(folder, throwaway=True)
        valkey.start()
        config.add_cleanup(valkey.stop)
        os.environ["REDIS_URL"] = valkey.url()


def _database_of(worker: str) -> str:
    return redis_database(os.environ["REDIS_URL"], plus=1 + int(worker.removeprefix("gw")))


def redis_database(url: str, *, plus: int) -> str:
    """Return the URL of the Redis database that is `plus` after the named one."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        number = int(parse_qs(parts.query).get("db", ["0"])[0])
        return f"unix://{parts.path}?db={number + plus}"  # urlunsplit would drop the slashes
    number = int(parts.path.strip("/") or 0)
    return urlunsplit(parts._replace(path=f"/{number + plus}"))
