"""What the caller sees: the envelope for programs, a few lines for people."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from imageskill.cli.envelopes import CommandResult
from imageskill.cli.session import is_terminal


def write(answer: CommandResult, *, label: str, is_json: bool) -> None:
    """Write the answer to stdout: as JSON when requested or not on a terminal."""
    envelope = answer.envelope | {"command": label}
    if is_json or not is_terminal(sys.stdout):
        text = json.dumps(envelope, indent=2, ensure_ascii=not _writes_unicode())
    else:
        text = import_module("imageskill.cli.text_output").render(envelope)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write_diagnostic(message: str) -> None:
    """Write a message beside the answer, to stderr."""
    if sys.stderr is not None and not sys.stderr.closed:
        sys.stderr.write(f"image-skill: {message}\n")
        sys.stderr.flush()


@contextmanager
def progress(text: str, *, is_shown: bool) -> Iterator[None]:
    """Show progress on stderr while the block waits; only on a terminal."""
    if not (is_shown and is_terminal(sys.stderr) and is_terminal(sys.stdout)):
        yield
        return
    done = threading.Event()
    line = threading.Thread(target=_show_elapsed, args=(text, done), daemon=True)
    line.start()
    try:
        yield
    finally:
        done.set()
        line.join()
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _show_elapsed(text: str, done: threading.Event) -> None:
    started = time.monotonic()
    while not done.wait(0.5):
        sys.stderr.write(f"\r\x1b[K{text} {time.monotonic() - started:.0f} s")
        sys.stderr.flush()


def _writes_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
