"""A PostgreSQL of our own: started from its binary as a direct child, on a private socket."""

import os
import platform
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

from imageskill.dev.embedded import folders, installation, unprivileged
from imageskill.dev.embedded.child import ChildProcess

_USER = "app"
_PORT = 5432  # a part of the socket's name, said aloud because clients obey PGPORT
_SOCKET = f".s.PGSQL.{_PORT}"
_START_TIMEOUT_S = 60
_RECOVERY_RETRY_S = 30  # how long the processes of a killed server may take to let go of its memory
_STOP = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))  # SIGTERM would wait for clients
_INHERITED = re.compile(r"^(PG.*|LC_.*|LANG|LANGUAGE|LD_.*)$")
_THROWAWAY = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off"),
    *("wal_level=minimal", "max_wal_senders=0", "checkpoint_timeout=1h", "max_wal_size=4GB"),
)


class PostgresFailed(RuntimeError):
    """PostgreSQL could not be set up or started; the message holds the end of its log."""


class Postgres:
    """One server and its data folder, `<parent>/postgres-<major version>`."""

    def __init__(
        self, parent: Path, *, throwaway: bool = False, template: Path | None = None
    ) -> None:
        """Prepare a server below `parent`; `throwaway` trades safety of the data for speed.

        It begins with a copy of `template`, a stopped server's data folder, or with nothing.
        Raises NotInstalled.
        """
        self._account = unprivileged.unprivileged_user()
        self._installation = installation.find(account=self._account)
        self.data = parent.resolve() / f"postgres-{self._installation.major}"
        self._log = parent.resolve() / "postgres.log"
        self._socket_folder = Path()
        self._throwaway = throwaway
        self._template = template
        self._child: ChildProcess | None = None
        self._lock: folders.FolderLock | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id, None while it is down."""
        return self._child.pid if self._child and self._child.exit_status is None else None

    def url(self, database: str = "app") -> str:
        """Return the `DATABASE_URL` of a database on this server."""
        return f"postgresql://{_USER}@:{_PORT}/{database}?host={self._socket_folder}"

    def start(self) -> None:
        """Start it and wait until it answers; sets the folder up the first time.

        Raises Occupied when another process runs it, PostgresFailed when it does not come up.
        """
        self._lock = folders.FolderLock(self.data)
        try:
            _stop_orphan(self.data)
            if not self.data.exists():
                self._initialize()
            self._socket_folder = folders.socket_folder(
                self.data, socket_name=_SOCKET, owner=self._account
            )
            self._launch()
            self._create_database()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it with its data safe; does nothing when it is down."""
        if self._child:
            self._child.stop(*_STOP)
            self._child = None
            shutil.rmtree(self._socket_folder, ignore_errors=True)
        if self._lock:
            self._lock.release()
            self._lock = None

    def kill(self) -> None:
        """Kill it as a power cut would, for tests of what survives."""
        if self._child:
            self._child.kill()
            self.stop()

    def _initialize(self) -> None:
        """Make the data folder under another name first: a killed initdb leaves a broken one."""
        draft = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        if self._template:
            # Owners too: PostgreSQL wants its folder to be its user's.
            subprocess.run(["cp", "-Rp", self._template, draft], check=True)
        else:
            self._run_initdb(draft)
        draft.rename(self.data)

    def _run_initdb(self, draft: Path) -> None:
        folders.ensure_private(draft, owner=self._account)
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command: list[str | Path] = [
            self._installation.bin / "initdb",
            *("-D", self._as_seen_by_server(draft)),
            *("-U", _USER, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"),
            *(builtin if self._installation.has_builtin_locale else []),
            *("--locale=C", "--lc-ctype=C.UTF-8", "--no-instructions"),
            *(["--no-sync"] if self._throwaway else []),
        ]
        answer = subprocess.run(
            command,
            check=False,
            env=_clean_environment(),
            cwd=draft,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **(self._account.popen_arguments() if self._account else {}),
        )
        if answer.returncode:
            raise PostgresFailed(f"initdb failed:\n{answer.stdout[-2000:]}")

    def _launch(self) -> None:
        """Start the server; again while the memory of a killed one is still in use."""
        give_up_at = time.monotonic() + _RECOVERY_RETRY_S
        while not self._launch_once():
            report = self._log.read_text(errors="replace")
            if "pre-existing shared memory block" not in report or time.monotonic() > give_up_at:
                raise PostgresFailed(f"PostgreSQL did not start:\n{report[-2000:]}")
            time.sleep(0.2)

    def _launch_once(self) -> bool:
        for name in (_SOCKET, f"{_SOCKET}.lock"):  # we hold the lock that counts
            (self._socket_folder / name).unlink(missing_ok=True)
        settings = [
            "listen_addresses=",
            "unix_socket_permissions=0700",
            "max_connections=300",
            *(_THROWAWAY if self._throwaway else ()),
        ]
        with self._log.open("wb") as log:
            self._child = ChildProcess(
                [
                    self._installation.bin / "postgres",
                    *("-D", self._as_seen_by_server(self.data)),
                    *("-k", self._socket_folder, "-p", str(_PORT)),
                    *(part for setting in settings for part in ("-c", setting)),
                ],
                env=_clean_environment(),
                log=log,
                cwd=self.data,
                account=self._account,
                death_signal=signal.SIGINT,
            )
        give_up_at = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < give_up_at:
            if self._child.exit_status is not None:
                return False
            try:
                self._connect().close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        raise PostgresFailed(f"PostgreSQL did not answer within {_START_TIMEOUT_S} s")

    def _create_database(self) -> None:
        with self._connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'app'").fetchone():
                connection.execute("CREATE DATABASE app")

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5)

    def _as_seen_by_server(self, folder: Path) -> str:
        """Name a folder that is the child's working folder in a way that it can open.

        A user that we dropped to may not be able to walk down to it (a checkout in root's home),
        but Linux lets a process reach the folder it was started in.
        """
        return "/proc/self/cwd" if self._account and platform.system() == "Linux" else str(folder)


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not _INHERITED.match(name)}


def _stop_orphan(data: Path) -> None:
    """Stop a server that outlived its launcher, and remove a `postmaster.pid` that lies.

    After a restart its number may be another program's, which PostgreSQL takes for a server.
    """
    file = data / "postmaster.pid"
    try:
        pid = int(file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if not _is_alive(pid):
        return
    if not _is_server(pid, data):
        file.unlink()
        return
    for number, timeout_s in _STOP:
        os.kill(pid, number)
        give_up_at = time.monotonic() + timeout_s
        while _is_server(pid, data) and time.monotonic() < give_up_at:
            time.sleep(0.02)
        if not _is_server(pid, data):
            return
    raise PostgresFailed(f"a PostgreSQL with process id {pid} uses {data} and does not stop")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_server(pid: int, data: Path) -> bool:
    """Return whether this process is a PostgreSQL that runs in `data`; a zombie is none."""
    if platform.system() == "Linux":
        try:
            return Path(f"/proc/{pid}/cwd").resolve() == data
        except OSError:
            return False
    command = ["ps", "-o", "command=", "-p", str(pid)]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    return "postgres" in answer.stdout and str(data) in answer.stdout
