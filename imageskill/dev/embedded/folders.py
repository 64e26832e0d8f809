"""Folders that are ours alone: data, locks, and sockets with a path short enough for the kernel."""

import fcntl
import hashlib
import os
import stat
from pathlib import Path
from typing import IO

from imageskill.dev.embedded.unprivileged import SystemUser

_MAX_SOCKET_PATH = 103  # sun_path holds 108 bytes on Linux and 104 on macOS, with a final NUL
_SHORT_BASE = Path("/tmp")  # noqa: S108  TMPDIR is long on macOS, and the point is to be short


class FolderInUse(RuntimeError):
    """Another process uses this folder."""


def ensure_private(path: Path, *, owner: SystemUser | None = None) -> Path:
    """Make the folder, 0700, or check that an existing one is ours. Raises PermissionError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        expected = {os.geteuid()} | ({owner.uid} if owner else set())
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in expected:
            raise PermissionError(f"{path} exists and belongs to somebody else") from None
    path.chmod(0o700)
    if owner:
        owner.own(path)
    return path


def socket_folder(folder: Path, *, socket_name: str, owner: SystemUser | None = None) -> Path:
    """Return a private folder for `socket_name`: in `folder`, or a short hashed one.

    Another user could not walk down to ours, so with an `owner` it is always the short one.
    """
    path = folder / "socket"
    if owner or len(os.fsencode(path / socket_name)) > _MAX_SOCKET_PATH:
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        path = _SHORT_BASE / f"imageskill-{os.geteuid()}-{digest}"
    return ensure_private(path, owner=owner)


class FolderLock:
    """An exclusive lock on a folder, held until released or until our process ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock beside `folder`. Raises Occupied."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_name(f"{folder.name}.lock")
        self._file: IO[bytes] = lock.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise FolderInUse(f"another process is using {folder}") from None

    def release(self) -> None:
        """Release the lock."""
        self._file.close()
