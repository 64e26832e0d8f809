"""Secrets that an installation makes for itself, each in a file that only we may read."""

import os
import secrets
from pathlib import Path


def ensure(folder: Path, name: str) -> Path:
    """Return the file of this secret, made with 50 random bytes where there is none.

    Raises PermissionError when others may read it: then it is no secret any more.
    """
    file = folder / name
    draft = file.with_name(f"{name}.new")
    if not file.exists():
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(50))
        draft.rename(file)
    if file.stat().st_mode & 0o077:
        raise PermissionError(f"{file} can be read by others; delete it to get a new one")
    return file
