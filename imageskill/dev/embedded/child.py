"""A child process of ours: one log, dies when we die, stopped politely, then not."""

import contextlib
import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import IO

from imageskill.dev.embedded.unprivileged import SystemUser

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ChildProcess:
    """A running process. Start it from the main thread: Linux ties its death to that thread's."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        log: IO[bytes] | None = None,
        cwd: Path | None = None,
        account: SystemUser | None = None,
        death_signal: Signals = SIGTERM,
    ) -> None:
        """Start `argv`, in a session of its own so that Ctrl-C reaches us alone.

        Output goes to `log`, or to our own where there is none.
        """
        self.name = Path(argv[0]).name
        self._process = subprocess.Popen(
            [str(part) for part in argv],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT if log else None,
            start_new_session=True,
            preexec_fn=die_with_parent(death_signal),  # noqa: PLW1509  one system call
            **(account.popen_arguments() if account else {}),
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; afterwards its exit status, negative for a signal."""
        return self._process.poll()

    def signal(self, number: Signals) -> None:
        """Send a signal, unless it has ended."""
        self._process.send_signal(number)

    def wait(self, timeout_s: float) -> bool:
        """Wait until it has ended; false when it still runs."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, *ladder: tuple[Signals, float]) -> None:
        """Send each signal of the ladder and wait its seconds, then kill."""
        for number, timeout_s in ladder:
            self.signal(number)
            if self.wait(timeout_s):
                return
        self.kill()

    def kill(self) -> None:
        """Kill at once, with nothing saved, and whatever it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, SIGKILL)
        self._process.wait()


def die_with_parent(number: Signals) -> Callable[[], None]:
    """Have Linux signal the child when the parent dies.

    `subprocess` calls this after the change of user, which would undo it.
    """
    parent = os.getpid()

    def ask() -> None:
        if _libc is None:
            return
        _libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # died in between
            os._exit(1)

    return ask
