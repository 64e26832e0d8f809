"""The real thing: a web server and a worker as processes of their own, on the test database.

    def test_makes_an_image(live):
        answer = live.post("/v1/create", token=…, json={…})

`live` shares its processes over a run; `launch(**settings)` gives a test its own, which it may
kill. Rows must be committed: both bring `transactional_db` with them.
"""

import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from django.conf import settings
from django.db import connection

from imageskill import programs
from tests.caller import Answer
from tests.forks import Program

_READY_WITHIN_S = 120


class Live:
    """A running installation; `web` and `worker` are programs to stop and start at will."""

    def __init__(self, folder: Path, **settings_: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        parts = urlsplit(os.environ["DATABASE_URL"])
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "imageskill.settings",
            "DATABASE_URL": urlunsplit(parts._replace(path="/" + connection.settings_dict["NAME"])),
            "TELEMETRY_WRITER": "true",
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            "BODIES_AT_ONCE": "32",  # half of its threads
            # Half of what a worker needs to start goes into Django's checks, which load every URL;
            # `make check` and the tests of `make run` have them made.
            "CELERY_SKIP_CHECKS": "true",
            **settings_,
        }
        self.web_log = folder / "web.log"
        self.worker_log = folder / "worker.log"
        self.web = Program(
            programs.web(host="127.0.0.1", port=self.port, workers=1, threads=64),
            env=self.env,
            log=self.web_log,
            cwd=settings.BASE_DIR,
        )
        self.worker = Program(
            programs.worker(threads=8),
            env=self.env,
            log=self.worker_log,
            cwd=settings.BASE_DIR,
            stop=(),  # at once: a test does not wait for images that nobody asks for any more
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=90)

    def start(self) -> None:
        self.web.start()
        self.worker.start()
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        """Wait until each part answers, the worker by its heartbeat."""
        give_up_at = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < give_up_at:
            try:
                if self.client.get("/healthz").json()["data"]["status"] == "ok":
                    return
            except (httpx.HTTPError, ValueError, KeyError, TypeError):
                pass
            time.sleep(0.05)
        raise AssertionError(f"not healthy\n{self.logs()}")

    def stop(self) -> None:
        self.client.close()
        self.worker.stop()
        self.web.stop()

    def logs(self) -> str:
        """Return what web and worker have logged."""
        return "\n".join(file.read_text() for file in (self.web_log, self.worker_log))

    def call(
        self, method: str, path: str, *, json: Any = None, token: str | None = None, **headers: str
    ) -> Answer:
        """Call the API as `api` does, over HTTP."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        response = self.client.request(method, path, json=json, headers=headers)
        return Answer(response.status_code, _envelope(response), dict(response.headers))

    def get(self, path: str, **options: Any) -> Answer:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        return self.call("POST", path, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.call("DELETE", path, **options)


def _envelope(response: httpx.Response) -> dict[str, Any]:
    envelope = json.loads(response.content)
    assert "ok" in envelope, envelope
    return envelope


@pytest.fixture(scope="session")
def _live_processes(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Live]:
    folder = Path(tempfile.mkdtemp(prefix="imageskill-live-"))
    with django_db_blocker.unblock():
        processes = Live(folder)
    processes.start()
    request.config._live_processes = processes
    yield processes
    processes.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def live(transactional_db: None, _live_processes: Live) -> Live:
    """Web and worker as processes, shared by all tests that ask; leave them running."""
    if _live_processes.worker.pid is None:
        _live_processes.worker.start()
        _live_processes.wait_until_healthy()
    return _live_processes


@pytest.fixture(autouse=True)
def _no_worker_takes_what_others_drain(request: pytest.FixtureRequest) -> None:
    """End the shared worker where a test runs its tasks itself: both serve the same queues."""
    processes = getattr(request.config, "_live_processes", None)
    if processes and processes.worker.pid is not None and "live" not in request.fixturenames:
        processes.worker.stop()


@pytest.fixture
def launch(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Start a web and a worker of the test's own, with settings of its own."""
    started: list[Live] = []

    def start(**settings_: str) -> Live:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Live(folder, **settings_))
        started[-1].start()
        return started[-1]

    yield start
    for processes in started:
        processes.stop()
