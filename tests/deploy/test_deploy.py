"""What `deploy/` starts: the processes that there are, with time to end what they began."""

import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core import signing
from django.core.management import call_command
from django.db import OperationalError, connection, connections

from imageskill import deploy_checks, draining, programs
from imageskill.lib.queue import QUEUES

DEPLOY = settings.BASE_DIR / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
UNITS = {
    file.stem.removeprefix("imageskill-").rstrip("@"): file
    for file in DEPLOY.glob("systemd/*.service")
}
OPERATIONS = (settings.BASE_DIR / "docs" / "operations.md").read_text()
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


@pytest.fixture
def became(monkeypatch):
    """Return the command that `serve` becomes."""
    commands = []
    monkeypatch.setattr("os.execv", lambda program, command: commands.append(command))

    def serve(*arguments):
        call_command(*arguments)
        return commands.pop()

    return serve


def unit(name: str) -> dict[str, str]:
    """Return a unit's settings."""
    rows = re.findall(r"^(\w+)=(.*)$", UNITS[name].read_text(), re.MULTILINE)
    return dict(rows)


def command_of(name: str, source: str) -> list[str]:
    """Return what a process runs, without the program's own name."""
    if source == "compose":
        return SERVICES[name]["command"]
    program, *arguments = shlex.split(unit(name)["ExecStart"])
    assert program == "/opt/imageskill/bin/imageskill-manage"
    return [argument.replace("%i", "8000") for argument in arguments]


def stops_within_s(name: str, source: str) -> int:
    if source == "compose":
        return int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
    return int(unit(name)["TimeoutStopSec"])


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def queues_of(command: list[str]) -> set[str]:
    return set(command[command.index("--queues") + 1].split(","))


class TestServe:
    def test_becomes_each_process(self, became, monkeypatch):
        assert became("serve", "web", "--port", "81") == programs.web(host="127.0.0.1", port=81)
        assert became("serve", "worker") == programs.worker()
        some = became("serve", "worker", "--queues", "jobs", "--threads", "5")
        assert some == programs.worker(threads=5, queues="jobs")
        monkeypatch.setenv("METRICS_PORT", "0")
        became("serve", "worker", "--metrics-port", "9101")
        assert os.environ["METRICS_PORT"] == "9101"
        state = settings.DATA_DIR / "scheduler"
        assert became("serve", "scheduler") == programs.scheduler(state=state)

    def test_web_drains_first_where_settings_say_so(self, became, settings, tmp_path):
        settings.DRAIN_S, settings.DRAIN_FILE = 7, str(tmp_path / "draining")
        server = programs.web(host="127.0.0.1", port=8000)
        expected = draining.command(server, seconds=7, file=tmp_path / "draining")
        assert became("serve", "web") == expected


class TestDraining:
    SERVER = "import sys, time; print('serving', flush=True); time.sleep(60)"

    def test_tells_load_balancers_first_and_then_stops(self, tmp_path):
        file = tmp_path / "draining"
        file.touch()  # of a process before
        server = [sys.executable, "-c", self.SERVER]
        command = draining.command(server, seconds=1, file=file)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "serving\n"
            assert not file.exists()
            process.terminate()
            started_at = time.monotonic()
            while not file.exists() and process.poll() is None:
                time.sleep(0.01)
            assert file.exists()
            assert process.wait(30) == 128 + signal.SIGTERM
        assert time.monotonic() - started_at > 0.9
        assert not file.exists()


@pytest.mark.parametrize("source", ["compose", "systemd"])
class TestProcesses:
    def test_are_those_that_there_are(self, became, source):
        for name in ("web", "worker-jobs", "worker-default", "scheduler"):
            assert became(*command_of(name, source))

    def test_serve_each_queue_and_keep_slow_providers_apart(self, source):
        jobs, others = (
            queues_of(command_of(name, source)) for name in ("worker-jobs", "worker-default")
        )
        assert jobs == {programs.JOB_QUEUES}
        assert jobs | others == set(QUEUES)
        assert not jobs & others

    def test_have_time_to_end_what_they_began(self, source):
        assert stops_within_s("worker-jobs", source) > settings.OPENAI_TIMEOUT_S + 30
        assert stops_within_s("web", source) > settings.CREATE_WAIT_S + 30

    def test_are_started_again_whatever_their_status(self, source):
        for name in ("web", "worker-jobs", "worker-default", "scheduler"):
            how = SERVICES[name]["restart"] if source == "compose" else unit(name)["Restart"]
            assert how == "always"


class TestUnits:
    @pytest.mark.by_hand
    def test_are_understood(self, tmp_path):
        copies = []
        for file in [*UNITS.values(), DEPLOY / "systemd" / "imageskill.target"]:
            copy = tmp_path / file.name
            copy.write_text(
                file.read_text().replace("/opt/imageskill/bin/imageskill-manage", "/bin/true")
            )
            copies.append(copy)
        answer = run("systemd-analyze", "verify", "--man=no", *copies)
        wrong = [line for line in answer.stderr.splitlines() if str(tmp_path) in line]
        assert wrong == []

    def test_workers_of_a_machine_show_metrics_at_ports_of_their_own(self):
        commands = [unit(name)["ExecStart"] for name in ("worker-jobs", "worker-default")]
        ports = [re.search(r"--metrics-port (\d+)", command)[1] for command in commands]
        assert len(set(ports)) == 2
        assert all(f"127.0.0.1:{port}" in OPERATIONS for port in ports)

    def test_the_target_wants_each(self):
        target = (DEPLOY / "systemd" / "imageskill.target").read_text()
        others = set(UNITS) - {"web"}
        assert all(f"imageskill-{name}.service" in target for name in others)

    def test_the_proxy_knows_each_web_server_that_the_target_wants(self):
        target = (DEPLOY / "systemd" / "imageskill.target").read_text()
        upstream = (DEPLOY / "nginx" / "upstream.conf").read_text()
        ports = re.findall(r"imageskill-web@(\d+)\.service", target)
        assert len(ports) == 2
        assert re.findall(r"server 127\.0\.0\.1:(\d+)", upstream) == ports


class TestImage:
    def test_holds_every_package_and_nothing_that_is_not_asked_for(self):
        ignored = (settings.BASE_DIR / ".dockerignore").read_text().split()
        copied = set(re.findall(r"^COPY (\w+) \w+$", DOCKERFILE, re.MULTILINE))
        assert copied == {"imageskill", "accounts", "billing", "jobs", "feedback", "templates"}
        assert {f"!{name}" for name in copied} <= set(ignored)
        assert ignored[0] == "*"

    def test_static_files_are_collected_as_pages_name_them(self, tmp_path):
        text = re.search(r"&& (SECRET_KEY=.*?collectstatic.*?)\n\n", DOCKERFILE, re.DOTALL)[1]
        words = shlex.split(text.replace("\\\n", " "))
        env = dict(word.split("=", 1) for word in words if "=" in word)
        command = [sys.executable, "manage.py", *words[words.index("collectstatic") :]]
        env |= {"PATH": os.environ["PATH"], "STATIC_ROOT": str(tmp_path)}
        subprocess.run(command, env=env, cwd=settings.BASE_DIR, check=True)
        assert (tmp_path / "staticfiles.json").exists()

    def test_runs_as_a_user_without_rights(self):
        assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
        apps = [service for service in SERVICES.values() if service.get("read_only")]
        assert len(apps) == 6
        assert all(service["cap_drop"] == ["ALL"] for service in apps)


class TestSecrets:
    def test_are_made_once_for_their_user_alone(self, tmp_path, monkeypatch):
        folders = {"SECRETS_FOLDER": tmp_path / "s", "CERTIFICATES_FOLDER": tmp_path / "c"}
        for name, folder in folders.items():
            folder.mkdir()
            monkeypatch.setenv(name, str(folder))
        monkeypatch.setenv("SECRETS_OWNER", str(tmp_path.stat().st_uid))

        first, second = self.make(tmp_path), self.make(tmp_path)

        assert first == second
        assert len(first["secret_key"]) > 50
        assert first["database_password"] in first["database_url"]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "c" / "fullchain.pem", tmp_path / "c" / "privkey.pem")
        for file in (tmp_path / "s").iterdir():
            assert file.stat().st_mode & 0o077 == 0

    @staticmethod
    def make(folder: Path) -> dict[str, str]:
        subprocess.run([sys.executable, DEPLOY / "compose" / "make_secrets.py"], check=True)
        return {file.name: file.read_text() for file in (folder / "s").iterdir()}


class TestProxy:
    GUIDE = (DEPLOY / "nginx" / "imageskill.conf").read_text()

    def test_waits_longer_than_a_create_and_lets_every_body_pass(self):
        wait_s = int(re.search(r"proxy_read_timeout (\d+)s", self.GUIDE)[1])
        assert wait_s > settings.CREATE_WAIT_S + 15
        passes = int(re.search(r"client_max_body_size (\d+)m", self.GUIDE)[1]) * 2**20
        assert passes > max(settings.BODY_BYTES_AT.values())

    @pytest.mark.by_hand
    def test_is_understood_by_nginx(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SECRETS_FOLDER", str(tmp_path))
        monkeypatch.setenv("CERTIFICATES_FOLDER", str(tmp_path))
        monkeypatch.setenv("SECRETS_OWNER", str(tmp_path.stat().st_uid))
        subprocess.run([sys.executable, DEPLOY / "compose" / "make_secrets.py"], check=True)
        site = self.GUIDE.replace("/etc/nginx/certificates", str(tmp_path))
        (tmp_path / "site.conf").write_text(site)
        upstream = DEPLOY / "nginx" / "upstream.conf"
        (tmp_path / "nginx.conf").write_text(
            f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{ include {upstream}; include {tmp_path}/site.conf; }}\n"
        )
        answer = run("nginx", "-t", "-c", tmp_path / "nginx.conf")
        assert answer.returncode == 0, answer.stderr


class TestChecks:
    def test_static_files_that_are_missing_are_refused(self, settings, tmp_path):
        settings.STATIC_ROOT = tmp_path
        [error] = deploy_checks.check_static_files()
        assert error.is_serious()
        assert "collectstatic" in error.hint
        (tmp_path / "staticfiles.json").touch()
        assert deploy_checks.check_static_files() == []

    @pytest.mark.parametrize("setting", ["STAGING_DIR", "DATA_DIR"])
    def test_a_folder_that_machines_do_not_share_is_refused(self, settings, tmp_path, setting):
        mount, elsewhere = tmp_path / "mount", tmp_path / "elsewhere"
        mount.mkdir()
        setattr(settings, setting, mount)
        settings.S3_BUCKET = "images" if setting == "STAGING_DIR" else ""
        assert deploy_checks.check_shared_folder() == []
        assert deploy_checks.check_shared_folder() == []  # another machine that shares it

        mount.rename(elsewhere)
        mount.mkdir()  # on a disk of its own
        [error] = deploy_checks.check_shared_folder()
        assert error.is_serious()
        assert str(mount) in error.msg

        repair = re.search("`(.*)`", error.hint)[1]
        subprocess.run(["sh", "-c", repair], check=True)
        assert deploy_checks.check_shared_folder() == []

    def test_a_folder_that_is_missing_is_told_and_a_bucket_needs_none(self, settings, tmp_path):
        settings.STAGING_DIR, settings.S3_BUCKET = str(tmp_path / "missing"), "images"
        [warning] = deploy_checks.check_shared_folder()
        assert not warning.is_serious()
        settings.STAGING_DIR = ""
        assert deploy_checks.check_shared_folder() == []

    def test_an_old_postgresql_is_refused(self, db, monkeypatch):
        assert deploy_checks.check_postgresql() == []
        monkeypatch.setitem(vars(connections["default"]), "pg_version", 150_004)
        [error] = deploy_checks.check_postgresql()
        assert error.id == "imageskill.E001"
        assert "15 is too old" in error.msg

    def test_one_that_does_not_answer_is_told(self, monkeypatch):
        def refuse():
            raise OperationalError

        monkeypatch.setattr(connection, "ensure_connection", refuse)
        [warning] = deploy_checks.check_postgresql()
        assert "DATABASE_URL" in warning.hint


class TestKeys:
    def test_a_former_key_still_verifies(self, settings):
        old, settings.SECRET_KEY = settings.SECRET_KEY, "new" * 20
        stop = "agent-ops@example.com"
        signed = signing.dumps(stop, key=old)
        with pytest.raises(signing.BadSignature):
            signing.loads(signed)
        settings.SECRET_KEY_FALLBACKS = [old]
        assert signing.loads(signed) == stop


class TestBootstrap:
    def test_prints_a_password_once_and_a_new_one_when_asked(self, db, capsys):
        def printed(*options):
            call_command("bootstrap", *options)
            return capsys.readouterr().out

        first = printed()
        assert first.startswith(settings.ADMIN_EMAIL)
        assert printed() == ""
        again = printed("--invite")
        assert again.startswith(settings.ADMIN_EMAIL)
        assert again != first
