"""Redis gone for a while, PostgreSQL restarted under load: nothing lost, nothing doubled.

On servers, web, worker and scheduler of the test's own. Only the API and the command line are
asked, since the test's own connection leads elsewhere.
"""

import subprocess
import sys
import threading
import time
from typing import Self

import httpx
import pytest
from django.conf import settings as django_settings

from imageskill import programs
from tests.faults.conftest import QUICK, wait_for
from tests.forks import Program
from tests.live import Live

pytestmark = pytest.mark.live

CREDITS = 2000
CALLERS = 3


class Load:
    """Callers that create one image after another, each again with its key until it is taken."""

    def __init__(self, site: Live, token: str) -> None:
        self._site, self._token = site, token
        self._is_over = threading.Event()
        self.jobs: dict[str, set[str]] = {}
        self.codes: set[str | None] = set()
        self._threads = [
            threading.Thread(target=self._create, args=(number,)) for number in range(CALLERS)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _create(self, caller: int) -> None:
        number = 0
        while not self._is_over.is_set():
            number += 1
            self._insist(f"caller-{caller}-{number}")
            time.sleep(0.1)

    def _insist(self, key: str) -> None:
        body = {"prompt": "a lighthouse", "model": "local.sketch", "idempotency_key": key}
        taken = 0
        while taken < 2:  # once more than needed: the second time replays
            try:
                answer = self._site.post("/v1/create", token=self._token, json=body)
            except (httpx.HTTPError, ValueError, AssertionError):
                answer = None
            if answer is None or not answer.envelope["ok"]:
                self.codes.add(answer.code if answer else None)
                if self._is_over.is_set():
                    return
                time.sleep(0.3)
                continue
            self.jobs.setdefault(key, set()).add(answer.data["job_id"])
            taken += 1


@pytest.fixture
def own_site(transactional_db, migrated_postgres, own_valkey, tmp_path):
    """A whole installation on servers of its own."""
    site = Live(
        tmp_path,
        **QUICK
        | {
            "DATABASE_URL": migrated_postgres.url(),
            "REDIS_URL": own_valkey.url(),
            "DATA_DIR": str(tmp_path),
            "DEVELOPMENT": "true",
            "PREVIEW_CREDITS": str(CREDITS),
            "JOB_LEASE_S": "3",
            "JOB_RESEND_AFTER_S": "2",
        },
    )
    manage(site, "migrate", "--verbosity=0")
    scheduler = Program(
        programs.scheduler(state=tmp_path / "beat"),
        env=site.env,
        log=tmp_path / "beat.log",
        cwd=django_settings.BASE_DIR,
    )
    scheduler.start()
    site.start()
    site.scheduler = scheduler
    yield site
    scheduler.stop()
    site.stop()


def manage(site, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=site.env,
        cwd=django_settings.BASE_DIR,
        check=False,
        capture_output=True,
        text=True,
    )


def test_both_break_under_load(own_site, migrated_postgres, own_valkey):
    signup = {"agent_name": "steady", "runtime": "tests", "agent_contact": "ops@example.com"}
    token = own_site.post("/v1/agent-signups", json=signup).data["token"]
    processes = own_site.worker.pid, own_site.scheduler.pid

    with Load(own_site, token) as load:
        wait_for(lambda: len(load.jobs) > 5)
        own_valkey.stop()
        time.sleep(3)
        own_valkey.start()
        wait_for(lambda: len(load.jobs) > 15, within_s=60)
        migrated_postgres.stop()
        migrated_postgres.start()
        before = len(load.jobs)
        wait_for(lambda: len(load.jobs) > before + 10, within_s=60)

    assert (own_site.worker.pid, own_site.scheduler.pid) == processes, "nobody restarts them here"
    ids = [job_id for found in load.jobs.values() for job_id in found]
    assert load.codes <= {None, "SERVICE_UNAVAILABLE"}
    assert len(ids) == len(set(ids)) == len(load.jobs), "a key has one job, a job one key"
    wait_for(lambda: _all_completed(own_site, token), within_s=180)
    limits = own_site.get("/v1/quota", token=token).data["limits"]
    assert limits["remaining_credits"] == CREDITS - len(_jobs(own_site, token))
    assert limits["held_credits"] == 0
    checked = manage(own_site, "check_books")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _jobs(site, token):
    found, cursor = [], ""
    while True:
        page = site.get(f"/v1/jobs?limit=100{cursor}", token=token).data
        found += page["jobs"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def _all_completed(site, token):
    time.sleep(0.5)
    return {job["status"] for job in _jobs(site, token)} == {"completed"}
