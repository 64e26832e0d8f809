"""Run a command with servers of its own.

`python -m imageskill.dev.embedded.with_servers COMMAND …`
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from imageskill.dev.embedded.postgres import Postgres
from imageskill.dev.embedded.valkey import Valkey


def main() -> int:
    """Start throwaway servers, run the command with settings that lead to them, stop them."""
    folder = Path(tempfile.mkdtemp(prefix="imageskill-around-"))
    postgres, valkey = Postgres(folder, throwaway=True), Valkey(folder, throwaway=True)
    try:
        postgres.start()
        valkey.start()
        env = {
            "SECRET_KEY": "known-to-everybody-and-good-for-nothing-but-checks-0123456789",
            "DEVELOPMENT": "true",
            **os.environ,
            "DATABASE_URL": postgres.url(),
            "REDIS_URL": valkey.url(),
            "DATA_DIR": str(folder),
        }
        return subprocess.run(sys.argv[1:], env=env, check=False).returncode
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
