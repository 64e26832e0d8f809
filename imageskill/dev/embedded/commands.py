"""Commands of `make run` beside the processes that every installation has."""

import sys
from pathlib import Path


def manage(*arguments: str) -> list[str]:
    """Return Django's command line."""
    return [sys.executable, "-m", "django", *arguments]


def stand_in(name: str, *, url_file: Path, port: int, state_file: Path | None = None) -> list[str]:
    """Return a stand-in's command; it writes its settings to `url_file` once it answers.

    With a `state_file` it goes on where an earlier process ended.
    """
    command = [sys.executable, "-m", f"imageskill.dev.standins.{name}", "--url-file", str(url_file)]
    kept = ["--state-file", str(state_file)] if state_file else []
    return [*command, "--port", str(port), *kept]
