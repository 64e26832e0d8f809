"""Run a web server, and at SIGTERM let load balancers turn away before it ends.

`python -m imageskill.draining SECONDS FILE COMMAND …`: while FILE exists, `/readyz` answers 503 and
everything else as ever. A process of its own, because the server stops to listen as soon as it is
told to stop.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType


def command(server: list[str], *, seconds: int, file: Path) -> list[str]:
    """Return the command that runs a server with so many seconds to be turned away from."""
    return [sys.executable, "-m", "imageskill.draining", str(seconds), str(file), *server]


def main() -> int:
    """Run the server until it ends; return its exit status."""
    seconds, file, *server = sys.argv[1:]
    marker = Path(file)
    marker.unlink(missing_ok=True)  # of the process before: this one is ready
    child = subprocess.Popen(server, env=os.environ | {"DRAIN_FILE": file})

    def stop(number: int, frame: FrameType | None) -> None:
        child.terminate()

    def drain(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, stop)  # who asks twice does not want to wait
        marker.touch()
        signal.alarm(int(seconds))

    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, drain)
    status = child.wait()
    marker.unlink(missing_ok=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
