"""A web server and a worker as processes, providers' stand-ins in this one, and time gone by."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from imageskill.dev.standins.providers.server import ProvidersStandIn
from imageskill.dev.standins.providers.server import settings as addresses
from imageskill.dev.standins.server import serve
from jobs.models import Job
from jobs.running import hold_checks, sweeper
from tests.live import Live

QUICK = {
    "CREATE_WAIT_S": "0",
    "JOB_LEASE_S": "1",
    "JOB_RESEND_AFTER_S": "0",
    "DAILY_JOBS_PREVIEW": "1000",
    "LOCAL_PROVIDER": "true",
    "FAL_KEY": "test",
    "OPENAI_API_KEY": "test",
    "XAI_API_KEY": "test",
}


@pytest.fixture
def providers() -> Iterator[ProvidersStandIn]:
    """The three providers, on a port of their own."""
    made = ProvidersStandIn()
    with serve(made) as base_url:
        made.base_url = base_url
        yield made


@pytest.fixture
def site(transactional_db: None, tmp_path: Path, providers: Any, settings: Any) -> Iterator[Live]:
    """A worker that a test may kill; the API is called in this process, with the same settings."""
    made = Live(tmp_path, **QUICK, **addresses(providers.base_url))
    for name, value in (QUICK | addresses(providers.base_url)).items():
        known = getattr(settings, name)
        setattr(settings, name, type(known)(value))
    settings.MEDIA_ROOT = Path(made.env["DATA_DIR"]) / "media"
    made.worker.start()
    yield made
    made.stop()


def wait_for(condition: Callable[[], Any], *, within_s: float = 20) -> Any:
    """Wait until something is true, and give it."""
    give_up_at = time.monotonic() + within_s
    while time.monotonic() < give_up_at:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


def settle(*statuses: str, within_s: float = 30) -> None:
    """Sweep, as the scheduler does every few seconds, until all jobs are in one of the states.

    Without a state: until the outcome of all of them is known to be unknown.
    """

    def look() -> bool:
        sweeper.sweep()
        return all(
            job.status in statuses if statuses else job.is_outcome_unknown
            for job in Job.objects.all()
        )

    wait_for(look, within_s=within_s)


@contextmanager
def held_up(sql: str, *parameters: Any) -> Iterator[None]:
    """Hold locks that the worker needs next, so that it stops right there."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        yield


# Of this test process alone: the server has a database for each, and a row's lock names none.
_WAITING = """
  FROM (SELECT pid FROM pg_locks
         GROUP BY pid
        HAVING bool_or(NOT granted)
           AND bool_or(database = (SELECT oid FROM pg_database WHERE datname = current_database()))
       ) AS waiting
"""


def waiting_for_locks() -> int:
    """Count who waits for what `held_up` holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {_WAITING}")
        return int(cursor.fetchone()[0])


def end_waiting_statements() -> None:
    """End the statements that wait: the server would finish a dead worker's once it could."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) {_WAITING}")


def assert_books_are_right() -> None:
    """Check what holds and captures must say of every job."""
    assert not list(hold_checks.problems())


@pytest.fixture
def media_gone(site: Live) -> Callable[[], Any]:
    """Take the media folder away for a while: a file stands in its place."""

    @contextmanager
    def gone() -> Iterator[None]:
        folder = Path(site.env["DATA_DIR"]) / "media"
        aside = folder.with_name("media.aside")
        if folder.exists():
            folder.rename(aside)
        folder.write_text("in the way")
        try:
            yield
        finally:
            folder.unlink()
            if aside.exists():
                aside.rename(folder)

    return gone
