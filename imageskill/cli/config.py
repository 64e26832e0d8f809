"""The config file: the saved token and the server it belongs to."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from imageskill.cli import files


class Config(NamedTuple):
    """What is saved; None where nothing is."""

    token: str | None = None
    api_base_url: str | None = None


def path(environment: Mapping[str, str]) -> Path:
    """Return where the file is: IMAGE_SKILL_CONFIG_PATH, or the user's config folder."""
    explicit = environment.get("IMAGE_SKILL_CONFIG_PATH")
    if explicit:
        return Path(explicit)
    folder = environment.get("XDG_CONFIG_HOME") or Path(os.path.expanduser("~"), ".config")  # noqa: PTH111
    return Path(folder, "image-skill", "config.json")


def read(file: Path) -> Config:
    """Read the file; one that is missing or broken is an empty one."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Config()
    if not isinstance(document, dict):
        return Config()
    return Config(_text_or_none(document.get("token")), _text_or_none(document.get("api_base_url")))


def save(file: Path, *, token: str, api_base_url: str, saved_at: str) -> Path | None:
    """Write the file; return where a previous token was kept, if there was one. Raises OSError."""
    previous = read(file).token
    kept = file.with_name(f"{file.name}.previous") if previous not in (None, token) else None
    if kept:
        files.write_private(kept, file.read_text(encoding="utf-8"))
    document: dict[str, Any] = {
        "api_base_url": api_base_url,
        "token": token,
        "saved_at": saved_at,
        "actor": None,
    }
    files.write_private(file, json.dumps(document, indent=2) + "\n")
    return kept


def check_writable(file: Path) -> None:
    """Check that the file can be written; raises OSError."""
    files.check_writable(file.parent)


def _text_or_none(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
