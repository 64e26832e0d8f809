"""Programs of ours that are forked from a process in which all is imported already.

A web server or a worker takes a processor three seconds to import what it needs; a fork of one
that did takes none. It is a process like any other afterwards: it reads the settings anew from an
environment of its own, and is signaled and killed by its number. What has settings that count
while modules are imported is started the ordinary way.

    python -m tests.forks NUMBER    the process to fork from; it listens on this file descriptor
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import django
from django import conf
from django.core.cache import caches
from django.core.files.storage import storages
from django.db import connections
from django.utils.log import configure_logging

from imageskill.dev.embedded import service
from imageskill.dev.embedded.child import ChildProcess, die_with_parent

_ROOT = Path(__file__).resolve().parents[1]
_READ_BY_IMPORTS = ("ADMIN_PATH", "CREATE_WAITERS", "DEVELOPMENT", "EMAIL_URL", "UPLOADS_AT_ONCE")
_FORKS = sys.platform == "linux"  # elsewhere nothing tells of the end of somebody else's child
_MODULES = (
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.thread",
    "granian.cli",
    "granian.server.mp",
    "imageskill.urls",
    "imageskill.lib.redis.broker",
    "imageskill.web.heartbeat",
    "imageskill.web.request_bodies",
    "jobs.registry",
)
_APPS = ("accounts", "billing", "jobs", "feedback")


class Program(service.Program):
    """A program of ours as a server, forked where that is possible."""

    def start(self) -> None:
        """Start it; its output goes to the end of its log."""
        if not _FORKS or any(
            self._env.get(name) != os.environ.get(name) for name in _READ_BY_IMPORTS
        ):
            super().start()
            return
        self.stop()
        with self._log.open("ab") as log:
            self._child = _Fork(self._argv, env=self._env, log=log, cwd=self._cwd)


class _Fork(ChildProcess):
    """A process whose parent is the one that all are forked from."""

    def __init__(
        self, argv: Sequence[str], *, env: Mapping[str, str], log: IO[bytes], cwd: Path | None
    ) -> None:
        self.name = Path(argv[0]).name
        self._process = _Process(_origin().fork(argv, env=env, log=log, cwd=cwd or _ROOT))


class _Process:
    """What `ChildProcess` asks of a `Popen`, of a process that is nobody's child here."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._file = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended by now
            self._file = -1

    def poll(self) -> int | None:
        """Return None while it runs; how it ended is known to its parent alone."""
        if self._file >= 0 and select.select([self._file], [], [], 0)[0]:
            os.close(self._file)
            self._file = -1
        return None if self._file >= 0 else -1

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._file, number)

    def wait(self, timeout_s: float | None = None) -> None:
        if self.poll() is None and not select.select([self._file], [], [], timeout_s)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout_s or 0)
        self.poll()


class _Origin:
    """The process that all are forked from, and the way to ask it."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            os.set_inheritable(theirs.fileno(), True)
            # Kept until this process ends: its end of the pair closes with it.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forks", str(theirs.fileno())],
                cwd=_ROOT,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "imageskill.settings"},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def fork(
        self, argv: Sequence[str], *, env: Mapping[str, str], log: IO[bytes], cwd: Path
    ) -> int:
        """Return the number of a new process."""
        request = json.dumps({"argv": list(argv), "env": dict(env), "cwd": str(cwd)}).encode()
        socket.send_fds(self._ours, [len(request).to_bytes(4, "big")], [log.fileno()])
        self._ours.sendall(request)
        return int.from_bytes(_receive(self._ours, 4), "big")


_started: list[_Origin] = []


def _origin() -> _Origin:
    if not _started:
        _started.append(_Origin())
    return _started[0]


def _receive(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        more = connection.recv(length - len(received))
        if not more:
            raise EOFError("the process that all are forked from has ended")
        received += more
    return received


def main() -> None:
    """Import everything, then fork for whoever asks until nobody is left to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    django.setup()
    for name in _MODULES:
        importlib.import_module(name)
    for app in _APPS:
        importlib.import_module(f"{app}.tasks")
    gc.freeze()  # a round of the collector would copy what the forks share
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        while request := _next(connection):
            pid = _fork(connection, **request)
            if not pid:
                break
            connection.sendall(pid.to_bytes(4, "big"))
        else:
            return
    _run(request["argv"])


def _next(connection: socket.socket) -> dict[str, Any] | None:
    length, files, _, _ = socket.recv_fds(connection, 4, 1)
    if not length:
        return None
    return json.loads(_receive(connection, int.from_bytes(length, "big"))) | {"log": files[0]}


def _fork(
    connection: socket.socket, *, argv: list[str], env: dict[str, str], cwd: str, log: int
) -> int:
    """Return the number of the new process, and 0 in that one, which is ready to run."""
    told, tell = os.pipe()
    die = die_with_parent(signal.SIGTERM)
    pid = os.fork()
    if pid:
        os.close(tell)
        os.read(told, 1)  # until it leads a session of its own, so that it can be killed as one
        os.close(told)
        os.close(log)
        return pid
    os.setsid()
    die()
    os.close(tell)
    os.close(told)
    for number in (signal.SIGINT, signal.SIGCHLD):
        signal.signal(
            number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        )
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    _read_settings()
    return 0


def _read_settings() -> None:
    """Read the settings anew, and make again what was made of them."""
    loaded = [
        name for name in sys.modules if name.startswith("jobs.") and name.endswith(".settings")
    ]
    for name in (*loaded, "imageskill.settings"):
        importlib.reload(sys.modules[name])
    conf.settings._wrapped = conf.empty
    configure_logging(conf.settings.LOGGING_CONFIG, conf.settings.LOGGING)
    for handler in (connections, caches):
        handler._settings = None
        handler.__dict__.pop("settings", None)
    storages._backends = None
    storages.__dict__.pop("backends", None)
    storages._storages = {}
    importlib.reload(sys.modules["imageskill.celery"]).app.set_default()


def _run(argv: list[str]) -> None:
    """Run what a command line says, in this process."""
    if argv[0] == sys.executable:
        argv = argv[1:]
    if argv[0] == "-m":
        sys.argv = argv[1:]
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = argv
        runpy.run_path(argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
