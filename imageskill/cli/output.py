"""What the caller sees: the envelope for programs, a few lines for people."""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

from imageskill.cli.envelopes import CommandResult
from imageskill.cli.session import is_terminal


class NotWritten(Exception):
    """Standard output is closed or full, or whoever read it has gone."""

    def __init__(self, reason: str, *, has_reader_gone: bool = False) -> None:
        super().__init__(reason)
        self.has_reader_gone = has_reader_gone


def write(answer: CommandResult, *, label: str, is_json: bool) -> None:
    """Write the answer to stdout, as JSON when requested or not on a terminal.

    Raises NotWritten.
    """
    envelope = answer.envelope | {"command": label}
    if is_json or not is_terminal(sys.stdout):
        text = json.dumps(envelope, indent=2, ensure_ascii=not _writes_unicode())
    else:
        text = import_module("imageskill.cli.printing.answers").render(envelope)
    write_text(f"{text}\n")


def write_text(text: str) -> None:
    """Write to stdout all at once; raises NotWritten."""
    if sys.stdout is None:  # the process was started without one
        raise NotWritten("it is closed")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        _discard_output()
        raise NotWritten(
            str(getattr(error, "strerror", None) or "it is closed"),
            has_reader_gone=isinstance(error, BrokenPipeError),
        ) from None


def _discard_output() -> None:
    """Let what is left in the buffer go nowhere, so that Python can end in peace."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def write_diagnostic(message: str) -> None:
    """Write a message beside the answer, to stderr."""
    if sys.stderr is None:
        return
    with suppress(OSError, ValueError):  # there is nobody left to tell
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
    encoding = (sys.stdout and sys.stdout.encoding) or ""
    return encoding.lower().replace("-", "") == "utf8"
