"""Who runs PostgreSQL when we are root, which it refuses to be."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SystemUser:
    """An existing system user without rights."""

    name: str
    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """Return what makes `subprocess` run as this user and nothing besides."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Hand a file or folder to this user."""
        os.chown(path, self.uid, self.gid)


def unprivileged_user() -> SystemUser | None:
    """Return the user to drop to, or None where we have no rights to drop.

    Raises RuntimeError as root on a system with neither of the two users.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return SystemUser(name, entry.pw_uid, entry.pw_gid)
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody")
