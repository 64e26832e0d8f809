"""A real PgBouncer in transaction mode in front of PostgreSQL: everything works through it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from django.conf import settings

from imageskill.dev.embedded.child import ChildProcess
from imageskill.dev.embedded.unprivileged import unprivileged_user
from tests.faults.conftest import QUICK, wait_for
from tests.live import Live

pytestmark = pytest.mark.by_hand

CONFIGURATION = """
[databases]
app = host={sockets} port=5432 user=app dbname=app
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 6
max_client_conn = 200
"""
SIGNUP = {"agent_name": "pooled", "runtime": "tests", "agent_contact": "ops@example.com"}
SKETCH = {"prompt": "a lighthouse", "model": "local.sketch"}


@pytest.fixture
def pooled(own_postgres, server_folder) -> Iterator[dict[str, str]]:
    """Return the settings that lead through PgBouncer to a database without tables."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sockets = parse_qs(urlsplit(own_postgres.url()).query)["host"][0]
    file = server_folder / "pgbouncer.ini"
    file.write_text(CONFIGURATION.format(sockets=sockets, port=port))
    server_folder.chmod(0o755)
    account = unprivileged_user()
    with (server_folder / "pgbouncer.log").open("wb") as log:
        pooler = ChildProcess(
            [shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", file],
            env=os.environ,
            log=log,
            account=account,
        )
    url = f"postgresql://app@127.0.0.1:{port}/app"
    try:
        wait_for(lambda: can_connect(url))
        yield {"DATABASE_URL": url, "DATABASE_PGBOUNCER": "true"}
    finally:
        pooler.kill()


def can_connect(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def manage(*arguments: str, env: dict[str, str]) -> str:
    command = [sys.executable, "manage.py", *arguments]
    answer = subprocess.run(
        command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


class TestPgBouncer:
    @pytest.fixture
    def site(self, pooled, own_valkey, tmp_path):
        site = Live(tmp_path, **QUICK, **pooled, REDIS_URL=own_valkey.url(), DATA_DIR=str(tmp_path))
        manage("bootstrap", env=site.env)
        site.start()
        yield site
        site.stop()

    def test_migrates_serves_and_keeps_its_books(self, site, pooled):
        token = site.post("/v1/agent-signups", json=SIGNUP).data["token"]

        def create(number):
            key = {"Idempotency-Key": f"pooled-{number}"}
            answer = site.post("/v1/create", token=token, json=SKETCH, **key)
            assert answer.status in {200, 202}, answer.envelope
            return answer.data["job_id"]

        with ThreadPoolExecutor(max_workers=8) as threads:
            made = list(threads.map(create, range(16)))

        def are_completed():
            jobs = [site.get(f"/v1/jobs/{job}", token=token).data["status"] for job in made]
            return set(jobs) == {"completed"}

        wait_for(are_completed, within_s=90)
        manage("check_books", env=site.env)
        assert "prepared statement" not in site.logs()
        assert "Traceback" not in site.logs()
        with psycopg.connect(pooled["DATABASE_URL"]) as connection:
            rows = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
            assert rows == (0,)
            # A session of PgBouncer's that was opened before `bootstrap` lacks it until RECONNECT.
            rows = connection.execute("SELECT setconfig FROM pg_db_role_setting").fetchall()
            assert "lock_timeout=10s" in rows[0][0]
