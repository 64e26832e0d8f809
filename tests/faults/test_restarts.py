"""Redis or PostgreSQL restarted: what runs goes on, and whoever comes after is served.

Nothing is supervised here: a process that ends stays down.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import redis
from django.conf import settings as django_settings

from imageskill import programs
from imageskill.dev.embedded.child import ChildProcess
from imageskill.dev.standins.providers.server import settings as addresses
from tests.faults.conftest import QUICK, wait_for
from tests.live import Live

pytestmark = pytest.mark.live

FAL = {"prompt": "a lighthouse", "model": "fal.flux-dev"}
SKETCH = {"prompt": "a lighthouse", "model": "local.sketch"}
SIGNUP = {"agent_name": "steady", "runtime": "tests", "agent_contact": "ops@example.com"}


def create(site, token, body):
    answer = site.post("/v1/create", token=token, json=body)
    assert answer.status in {200, 202}, answer.envelope
    return answer.data["job_id"]


def wait_until_completed(site, token, job_id):
    path = f"/v1/jobs/{job_id}"
    wait_for(lambda: site.get(path, token=token).data["status"] == "completed", within_s=60)


class TestRedis:
    @pytest.fixture
    def site(self, transactional_db, own_valkey, providers, tmp_path):
        site = Live(
            tmp_path,
            **QUICK,
            **addresses(providers.base_url),
            REDIS_URL=own_valkey.url(),
            DATA_DIR=str(tmp_path),
        )
        site.start()
        yield site
        site.stop()

    def test_a_worker_finishes_its_task_and_takes_the_next(
        self, site, own_valkey, providers, agent
    ):
        worker = site.worker.pid

        for end in (own_valkey.stop, own_valkey.kill):
            providers.reset()
            providers.fal.seconds = 6
            in_hand = create(site, agent.token, FAL)
            wait_for(lambda: providers.requests)
            end()
            time.sleep(1)
            own_valkey.start()
            wait_until_completed(site, agent.token, in_hand)
            providers.fal.seconds = 0
            wait_until_completed(site, agent.token, create(site, agent.token, FAL))

        assert site.worker.pid == worker, site.logs()
        with redis.Redis.from_url(own_valkey.url()) as client:
            wait_for(lambda: client.hlen("unacked") == 0)

    def test_a_worker_that_a_defect_ends_says_so_by_its_status(self, tmp_path):
        command = [*programs.worker(threads=1), "--include", "tests.faults.defective_worker"]
        with (tmp_path / "worker.log").open("ab") as log:
            worker = ChildProcess(command, env=os.environ, log=log, cwd=django_settings.BASE_DIR)

        assert worker.wait(120)
        assert worker.exit_status == 1


class TestPostgres:
    @pytest.fixture
    def site(self, transactional_db, migrated_postgres, tmp_path):
        site = Live(
            tmp_path,
            **QUICK,
            DATABASE_URL=migrated_postgres.url(),
            DATABASE_POOL_TIMEOUT_S="3",
            DATA_DIR=str(tmp_path),
        )
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(migrate, env=site.env, cwd=django_settings.BASE_DIR, check=True)
        site.start()
        yield site
        site.stop()

    @pytest.fixture
    def token(self, site):
        return site.post("/v1/agent-signups", json=SIGNUP).data["token"]

    @pytest.fixture
    def whoami(self, site, token):
        return lambda: site.get("/v1/whoami", token=token).status

    def test_nobody_meets_a_dead_connection(self, site, migrated_postgres, token, whoami):
        with ThreadPoolExecutor(40) as callers:
            for _ in range(400):
                callers.submit(whoami)
        assert connections(migrated_postgres) > 10

        migrated_postgres.stop()
        migrated_postgres.start()

        assert [whoami() for _ in range(30)] == [200] * 30
        assert site.get("/healthz").status == 200
        wait_until_completed(site, token, create(site, token, SKETCH))

        migrated_postgres.stop()
        assert_unavailable(site, token)
        migrated_postgres.start()

        assert [whoami() for _ in range(30)] == [200] * 30


def connections(postgres):
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        count = "SELECT count(*) FROM pg_stat_activity WHERE client_port IS NOT NULL"
        return connection.execute(count).fetchone()[0]


def assert_unavailable(site, token):
    site.client.cookies["sessionid"] = "of-somebody"
    for path in ("/agents", "/admin/", "/a/image_gone.png"):
        page = site.client.get(path)
        assert (path, page.status_code) == (path, 503)
        assert "<h1>Temporarily unavailable</h1>" in page.text
        assert page.headers["Retry-After"] == "5"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for path in ("/healthz", "/v1/jobs"):
        answer = site.get(path, token=token)
        assert (path, answer.status, answer.code) == (path, 503, "SERVICE_UNAVAILABLE")
        assert "retry-after" in answer.headers
