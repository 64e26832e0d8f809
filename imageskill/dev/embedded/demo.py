"""`make demo`: fill the installation that `make run` keeps, running or not.

Beside a running one it uses its servers and stand-ins; otherwise it starts them and stops them
again. Arguments are those of `manage.py demo_data`.
"""

import os
import subprocess
import sys
from collections.abc import Mapping

from imageskill.dev.embedded import commands, folders
from imageskill.dev.embedded.run import LocalInstallation


def main() -> int:
    """Fill it; return the exit status."""
    os.umask(0o077)  # what we and our children write is ours alone
    installation = LocalInstallation()
    try:
        return _fill_in(installation)
    except (RuntimeError, OSError) as error:
        sys.stderr.write(f"make demo: {error}\n")
        return 1


def _fill_in(installation: LocalInstallation) -> int:
    try:
        lock = folders.FolderLock(installation.data / "run")
    except folders.FolderInUse:
        return _fill(installation.running_environment())
    try:
        installation.start_foundation()
        return _fill(installation.env)
    finally:
        installation.stop()
        lock.release()


def _fill(env: Mapping[str, str]) -> int:
    command = commands.manage("demo_data", *sys.argv[1:])
    return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
