"""`make run`: everything one machine needs, started in order, watched, and stopped in order.

`DATABASE_URL` and `REDIS_URL` name servers to use instead of our own; `HOST`, `PORT` and
`DATA_DIR` let copies run side by side; `STANDINS` names the vendors to stand in for.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from imageskill import programs
from imageskill.dev.embedded import banner, commands, folders, secret_files, standin_choice
from imageskill.dev.embedded.postgres import Postgres
from imageskill.dev.embedded.service import Program, Server, Service
from imageskill.dev.embedded.valkey import Valkey
from imageskill.lib import metrics

_ROOT = Path(__file__).resolve().parents[3]
_HEALTH_TIMEOUT_S = 120
_POLL_INTERVAL_S = 0.5
_ALL_INTERFACES = ("0.0.0.0", "::")  # noqa: S104  only to know them


class _StoppedEarly(Exception):
    """Asked to stop while still starting."""


class LocalInstallation:
    """One copy: its folder, its environment, and the services that run for it."""

    def __init__(self) -> None:
        """Read the environment; nothing is started or written yet."""
        self.host = os.environ.get("HOST") or "127.0.0.1"
        self.port = int(os.environ.get("PORT") or 8000)
        self.data = Path(os.environ.get("DATA_DIR") or _ROOT / ".data").resolve()
        self.logs = self.data / "logs"
        self.stopping = threading.Event()
        self.services: list[Service] = []
        self.env = {
            "DEVELOPMENT": "true",
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "imageskill.settings",
            "PYTHONUNBUFFERED": "1",
            "HOST": self.host,
            "PORT": str(self.port),
            "DATA_DIR": str(self.data),
            "STATIC_ROOT": os.environ.get("STATIC_ROOT") or str(self.data / "static"),
        }

    def start(self) -> str | None:
        """Start everything in order; return the line about the admin's password, if any."""
        invitation = self.start_foundation()
        self._write_environment()
        self._start_programs()
        return invitation

    def start_foundation(self) -> str | None:
        """Start servers and stand-ins, and set the database up; none of our own programs."""
        for folder in (self.data, self.logs, self.data / "secrets", self.data / "static"):
            folders.ensure_private(folder)
        self._keep_secrets()
        self._start_servers()
        self._start_stand_ins()
        return self._prepare()

    def running_environment(self) -> dict[str, str]:
        """Return the environment of the copy that another process runs in this folder.

        Raises RuntimeError while that one is still starting.
        """
        if not self._environment_file.exists():
            raise RuntimeError("make run is still starting; try again in a moment")
        chosen: dict[str, str] = json.loads(self._environment_file.read_text())
        return self.env | chosen

    def watch(self) -> None:
        """Start again what dies, until asked to stop."""
        while not self.stopping.wait(_POLL_INTERVAL_S):
            for service in self.services:
                if not self.stopping.is_set():
                    service.restart_if_dead(_print)

    def wait_until_healthy(self) -> None:
        """Wait for /healthz to be all green. Raises RuntimeError with the logs' last words."""
        give_up_at = time.monotonic() + _HEALTH_TIMEOUT_S
        while time.monotonic() < give_up_at and not self.stopping.is_set():
            if _is_healthy(self.host, self.port):
                return
            for service in self.services:
                service.restart_if_dead(_print)
            self.stopping.wait(0.1)
        if not self.stopping.is_set():
            words = "\n".join(f"{it.name}: {it.log_tail()}" for it in self.services[-3:])
            raise RuntimeError(f"not healthy after {_HEALTH_TIMEOUT_S} s\n{words}")

    def stop(self) -> None:
        """Stop everything, last started first."""
        self._environment_file.unlink(missing_ok=True)
        for service in reversed(self.services):
            service.stop()

    @property
    def _environment_file(self) -> Path:
        return self.data / "environment.json"

    def _write_environment(self) -> None:
        """Write down what we chose beside the caller's own environment, for `make demo`."""
        chosen = {name: it for name, it in self.env.items() if os.environ.get(name) != it}
        self._environment_file.write_text(json.dumps(chosen))

    def _keep_secrets(self) -> None:
        if not self._has("SECRET_KEY"):
            self.env["SECRET_KEY_FILE"] = str(self._secret("secret_key"))

    def _secret(self, name: str) -> Path:
        return secret_files.ensure(self.data / "secrets", name)

    def _has(self, name: str) -> bool:
        return bool(self.env.get(name) or self.env.get(f"{name}_FILE"))

    def _start_servers(self) -> None:
        if not self._has("DATABASE_URL"):
            postgres = Postgres(self.data)
            self._add("PostgreSQL", postgres, log=self.data / "postgres.log")
            self.env["DATABASE_URL"] = postgres.url()
        if not self._has("REDIS_URL"):
            valkey = Valkey(self.data)
            self._add("Valkey", valkey, log=self.data / "valkey.log")
            self.env["REDIS_URL"] = valkey.url()

    def _start_stand_ins(self) -> None:
        for name in standin_choice.selected(self.env):
            url_file = self.data / f"standin-{name}.json"
            url_file.unlink(missing_ok=True)
            command = commands.stand_in(
                name,
                url_file=url_file,
                state_file=self.data / f"standin-{name}-state.json",
                port=_free_port(),
            )
            self._add_program(f"{name} stand-in", command, **self._webhooks(name))
            self.env.update(json.loads(self._read_when_written(url_file)))

    def _webhooks(self, name: str) -> dict[str, str]:
        """Set where a stand-in sends webhooks; its secret outlives a restart of its process."""
        secret = standin_choice.WEBHOOK_SECRETS.get(name)
        if not secret:
            return {}
        value = os.environ.get(secret) or self._secret(secret.lower()).read_text()
        url = f"http://127.0.0.1:{self.port}/webhooks/{name}"
        return {secret: value, "STANDIN_WEBHOOK_URL": url}

    def _read_when_written(self, file: Path) -> str:
        give_up_at = time.monotonic() + 30
        while not file.exists():
            service = self.services[-1]
            if service.pid is None or time.monotonic() > give_up_at:
                raise RuntimeError(f"{service.name} did not start:\n{service.log_tail()}")
            time.sleep(0.05)
        return file.read_text()

    def _prepare(self) -> str | None:
        answer = subprocess.run(
            commands.manage("bootstrap", "--invite"),
            check=False,
            env=self.env,
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if answer.returncode:
            raise RuntimeError(f"setting up the database failed:\n{answer.stderr[-4000:]}")
        return answer.stdout.strip() or None

    def _start_programs(self) -> None:
        self._add_program("worker", programs.worker())
        self._add_program("scheduler", programs.scheduler(state=self.data / "scheduler"))
        web = programs.web(host=self.host, port=self.port, kill_timeout_s=10)
        self._add_program("web", web, **metrics.new_folder(self.data / "metrics"))

    def _add_program(self, name: str, command: list[str], **env: str) -> None:
        log = self.logs / f"{name.replace(' ', '-')}.log"
        # The environment as it is by now: nothing that comes later concerns it.
        self._add(name, Program(command, env={**self.env, **env}, log=log, cwd=_ROOT), log=log)

    def _add(self, name: str, server: Server, *, log: Path) -> None:
        if self.stopping.is_set():
            raise _StoppedEarly
        service = Service(name, server, log=log)
        service.start()
        self.services.append(service)


def main() -> int:
    """Run until SIGINT, SIGTERM or SIGHUP; return the exit status."""
    began = time.monotonic()
    os.umask(0o077)  # what we and our children write is ours alone
    installation = LocalInstallation()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: installation.stopping.set())
    try:
        lock = folders.FolderLock(installation.data / "run")
        _require_free(installation.host, installation.port)
        _serve(installation, began=began)
    except (RuntimeError, OSError) as error:
        sys.stderr.write(f"make run: {error}\n")
        return 1
    lock.release()
    return 0


def _serve(installation: LocalInstallation, *, began: float) -> None:
    try:
        invitation = installation.start()
        installation.wait_until_healthy()
        if not installation.stopping.is_set():
            _print(banner.render(installation.env, invitation, seconds=time.monotonic() - began))
            installation.watch()
    except _StoppedEarly:
        pass
    finally:
        _print("Stopping …")
        installation.stop()
        _print("Stopped; the data is kept.")


def _require_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise RuntimeError(f"{host}:{port}: {error.strerror}; try PORT=8001") from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_healthy(host: str, port: int) -> bool:
    name = "127.0.0.1" if host in _ALL_INTERFACES else host
    try:
        with urllib.request.urlopen(f"http://{name}:{port}/healthz", timeout=5) as answer:
            return bool(json.load(answer)["data"]["status"] == "ok")
    except (OSError, urllib.error.URLError, ValueError, KeyError, TypeError):
        return False


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
