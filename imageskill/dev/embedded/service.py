"""A part of a running installation that is started again when it dies, and stopped in its turn."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGTERM, Signals
from typing import Protocol

from imageskill.dev.embedded.child import ChildProcess

_MAX_RESTARTS = 4  # within this many seconds, and something is wrong that a restart does not cure
_RESTART_WINDOW_S = 30.0


class Server(Protocol):
    """What a service runs: a program of ours, PostgreSQL, Valkey."""

    @property
    def pid(self) -> int | None:
        """The process id, None while it is down."""

    def start(self) -> None:
        """Start it."""

    def stop(self) -> None:
        """Stop it; does nothing when it is down."""


class Program:
    """A program of ours as a server, with a log of its own."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        cwd: Path | None = None,
        stop: Sequence[tuple[Signals, float]] = ((SIGTERM, 10.0),),
    ) -> None:
        self._argv = argv
        self._env = env
        self._log = log
        self._cwd = cwd
        self._ladder = stop
        self._child: ChildProcess | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None while it is down."""
        return self._child.pid if self._child and self._child.exit_status is None else None

    def start(self) -> None:
        """Start it; its output goes to the end of its log."""
        self.stop()
        with self._log.open("ab") as log:
            self._child = ChildProcess(self._argv, env=self._env, log=log, cwd=self._cwd)

    def stop(self) -> None:
        """Stop it, and what it may have left running."""
        if self._child:
            self._child.stop(*self._ladder)
            self._child.kill()
            self._child = None


class Service:
    """A named server under supervision."""

    def __init__(self, name: str, server: Server, *, log: Path) -> None:
        self.name = name
        self.log = log
        self._server = server
        self._deaths: deque[float] = deque(maxlen=_MAX_RESTARTS)

    @property
    def pid(self) -> int | None:
        """The process id, None while it is down."""
        return self._server.pid

    def start(self) -> None:
        """Start it."""
        self._server.start()

    def stop(self) -> None:
        """Stop it."""
        self._server.stop()

    def restart_if_dead(self, say: Callable[[str], None]) -> None:
        """Start it again if it has died. Raises RuntimeError when that keeps happening."""
        if self.pid is not None:
            return
        self._deaths.append(time.monotonic())
        if (
            len(self._deaths) == _MAX_RESTARTS
            and self._deaths[-1] - self._deaths[0] < _RESTART_WINDOW_S
        ):
            raise RuntimeError(f"{self.name} keeps dying:\n{self.log_tail()}")
        say(f"{self.name} died; starting it again (log: {self.log})")
        self._server.stop()
        self._server.start()

    def log_tail(self) -> str:
        """Return the end of its log."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
