"""Writing files whole or not at all, and never over another unless told to."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Self


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner alone; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _TemporaryFile(path) as draft:
        draft.file.write(text.encode())
        draft.keep(is_overwriting=True)


def check_writable(folder: Path) -> None:
    """Check that a file can be made there; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with _TemporaryFile(folder / "write-test"):
        pass


def write_new(path: Path, fill: Callable[[BinaryIO], None], *, is_overwriting: bool) -> None:
    """Write the file by `fill`, then rename it into place.

    Whatever goes wrong, and when the process is told to stop, no part of it stays behind.
    Raises FileExistsError where there is a file already, else OSError or what `fill` raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _TemporaryFile(path, mode=0o666) as draft:
        fill(draft.file)
        draft.keep(is_overwriting=is_overwriting)


class _TemporaryFile:
    """A file beside the one it becomes; gone at the end unless kept."""

    def __init__(self, path: Path, *, mode: int = 0o600) -> None:
        self.path = path
        self.draft = path.with_name(f".{path.name[:100]}.{os.getpid()}.{os.urandom(4).hex()}")
        self.mode = mode

    def __enter__(self) -> Self:
        try:
            handle = os.open(self.draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self.mode)
            self.file = os.fdopen(handle, "wb")
        except FileExistsError:  # somebody else's
            raise
        except BaseException:  # told to stop at the very moment at which it was made
            self.draft.unlink(missing_ok=True)
            raise
        return self

    def keep(self, *, is_overwriting: bool) -> None:
        """Flush to the disk and move into place."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if is_overwriting:
            self.draft.replace(self.path)
            return
        try:
            os.link(self.draft, self.path)  # fails where the name is taken: no race
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            with self.path.open("xb"):
                self.draft.replace(self.path)

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.draft.unlink(missing_ok=True)
