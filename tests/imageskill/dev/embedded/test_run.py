"""`make run` as somebody types it: processes, a folder, a port, and no terminal."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings

from imageskill.dev.embedded import standin_choice
from tests import migrated

pytestmark = pytest.mark.xdist_group("run")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Run:
    """One `make run`, whose output is kept in a file."""

    def __init__(self, data: Path, *, port: int | None = None, **env: str) -> None:
        self.data = data
        self.port = port or free_port()
        self.output = data.with_suffix(f".{time.monotonic_ns()}")
        inherited = {"PATH", "HOME", "TMPDIR"}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "imageskill.dev.embedded.run"],
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={
                    **{name: value for name, value in os.environ.items() if name in inherited},
                    "DATA_DIR": str(data),
                    "PORT": str(self.port),
                    "STANDINS": "none",
                    **env,
                },
            )

    @property
    def text(self) -> str:
        return self.output.read_text()

    def wait_until_running(self) -> "Run":
        give_up_at = time.monotonic() + 180
        while "Ctrl-C stops" not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < give_up_at, self.text
            time.sleep(0.05)
        return self

    def children(self) -> dict[int, str]:
        """Return its direct children's command lines by process id."""
        listed = subprocess.check_output(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)], text=True
        )
        rows = (line.split(None, 1) for line in listed.splitlines())
        return {int(pid): command for pid, command in rows if "ps -o" not in command}

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(90)

    def get(self, path: str) -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)


def all_gone(pids: dict[int, str]) -> bool:
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at:
        if not any(is_running(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def data(server_folder: Path) -> Path:
    return server_folder / "data"


@pytest.fixture
def migrated_data(data: Path) -> Path:
    """A folder of data whose database is set up but for what follows migrations."""
    data.mkdir()
    template = migrated.data_folder()
    subprocess.run(["cp", "-Rp", template, data / template.name], check=True)
    return data


class TestRun:
    def test_starts_from_nothing_and_again_with_its_data(self, data):
        first = Run(data).wait_until_running()
        assert first.get("/healthz")["data"]["status"] == "ok"
        self.assert_first_image(first)
        invitation = re.search(r"as admin@localhost with (\S+)", first.text)
        assert invitation
        secret = (data / "secrets" / "secret_key").read_text()
        self.assert_others_find_its_servers(data)
        self.assert_nobody_else_starts_in(data)
        children = first.children()
        assert len(children) == 5, children
        assert first.stop(signal.SIGINT) == 0
        assert all_gone(children)
        assert not (data / "environment.json").exists()

        began = time.monotonic()
        second = Run(data).wait_until_running()

        assert time.monotonic() - began < 60
        assert (data / "secrets" / "secret_key").read_text() == secret
        assert invitation[1] not in second.text
        assert second.stop() == 0
        for path in [data, *(data / "secrets").iterdir()]:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0

    @staticmethod
    def assert_others_find_its_servers(data: Path) -> None:
        """What it chose is written down for `make demo`, and nothing of the caller's."""
        chosen = json.loads((data / "environment.json").read_text())
        assert chosen["DATABASE_URL"].startswith("postgresql://")
        assert {"REDIS_URL", "SECRET_KEY_FILE"} <= set(chosen)
        assert "PATH" not in chosen

    @staticmethod
    def assert_nobody_else_starts_in(data: Path) -> None:
        """A second one in the same folder says so and ends."""
        second = Run(data)
        assert second.process.wait(60) == 1
        assert "another process is using" in second.text

    @staticmethod
    def assert_first_image(run: Run) -> None:
        """The printed command works as it stands."""
        command = re.search(r"^TOKEN=.*?^$", run.text, re.MULTILINE | re.DOTALL)
        assert command
        answer = subprocess.run(
            ["sh", "-c", command[0]], capture_output=True, text=True, timeout=70, check=False
        )
        assert answer.returncode == 0, answer.stderr
        [asset] = json.loads(answer.stdout)["data"]["assets"]
        assert asset["url"].startswith(f"http://localhost:{run.port}/a/")
        with urllib.request.urlopen(asset["url"], timeout=10) as media:
            assert len(media.read()) == asset["content_length"]

    def test_brings_back_what_dies_and_takes_all_along_when_killed(self, migrated_data):
        run = Run(migrated_data).wait_until_running()
        for name in ("celery", "granian", "postgres", "valkey"):
            [victim, *_] = [pid for pid, command in run.children().items() if name in command]
            os.kill(victim, signal.SIGKILL)

        give_up_at = time.monotonic() + 120
        while len(run.children()) < 5 and time.monotonic() < give_up_at:
            time.sleep(0.2)
        self.wait_until_healthy(run)
        children = run.children()
        run.process.kill()
        run.process.wait()

        assert all_gone(children)
        again = Run(migrated_data).wait_until_running()
        assert again.get("/healthz")["data"]["status"] == "ok"
        again.stop()

    @staticmethod
    def wait_until_healthy(run: Run) -> None:
        give_up_at = time.monotonic() + 120
        while time.monotonic() < give_up_at:
            try:
                if run.get("/healthz")["data"]["status"] == "ok":
                    return
            except OSError:
                pass
            time.sleep(0.2)
        raise AssertionError(run.text)

    def test_says_so_when_the_port_is_taken(self, data):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            run = Run(data, port=taken.getsockname()[1])

            assert run.process.wait(60) == 1
        assert "PORT=" in run.text
        assert "Traceback" not in run.text

    def test_can_be_stopped_while_it_starts(self, data):
        run = Run(data)
        time.sleep(1.5)
        children = run.children()

        assert run.stop(signal.SIGINT) == 0

        assert all_gone(children)

    def test_uses_the_servers_that_are_named(self, data, migrated_postgres, own_valkey):
        run = Run(
            data, DATABASE_URL=migrated_postgres.url(), REDIS_URL=own_valkey.url()
        ).wait_until_running()

        assert not any("postgres" in command for command in run.children().values())
        assert not list(data.glob("postgres-*"))
        run.stop()


class TestStandIns:
    def test_stripe_and_github_stand_in_where_there_are_no_credentials(self):
        env = {"DEVELOPMENT": "true"}

        assert standin_choice.selected(env) == ["stripe", "github"]
        assert standin_choice.selected({**env, "GITHUB_TOKEN_FILE": "/x"}) == ["stripe"]
        assert standin_choice.selected({**env, "STRIPE_SECRET_KEY": "sk"}) == ["github"]

    def test_nobody_stands_in_outside_development(self):
        assert standin_choice.selected({}) == []

    @pytest.mark.parametrize(
        "named",
        ["providers,stripe", "stripe providers", " stripe ,  providers,", "stripe\tproviders"],
    )
    def test_names_stand_between_commas_or_spaces(self, named):
        assert standin_choice.selected({"STANDINS": named}) == ["stripe", "providers"]

    def test_none_is_nobody(self):
        assert standin_choice.selected({"STANDINS": "none", "DEVELOPMENT": "1"}) == []

    def test_an_unknown_name_is_refused(self):
        with pytest.raises(RuntimeError, match="paypal"):
            standin_choice.selected({"STANDINS": "stripe,paypal"})
