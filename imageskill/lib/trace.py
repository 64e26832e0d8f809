"""The trace id of the current request or task, carried into the rows that it writes.

Threads are reused: of workers, of the web server, of the pools that wait for both. So whatever
begins a request, a task or one item of a batch begins it with a clean context, or the rows of
one organization would carry the trace of another's.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

_current: ContextVar[str | None] = ContextVar("trace_id", default=None)


def new_id() -> str:
    """Make a trace id: `trace_` and 32 hexadecimal digits."""
    return f"trace_{secrets.token_hex(16)}"


def current() -> str:
    """Return the trace id of this request or task; a fresh one where none was set."""
    trace_id = _current.get()
    if trace_id is None:
        trace_id = new_id()
        _current.set(trace_id)
    return trace_id


def begin(trace_id: str | None = None) -> str:
    """Begin a trace here, a fresh one by default; nothing bound to log lines before remains."""
    structlog.contextvars.clear_contextvars()
    trace_id = trace_id or new_id()
    _current.set(trace_id)
    structlog.contextvars.bind_contextvars(trace_id=trace_id)
    return trace_id


def clear() -> None:
    """Forget the trace and whatever was bound to log lines."""
    structlog.contextvars.clear_contextvars()
    _current.set(None)


@contextmanager
def own() -> Iterator[str]:
    """Run the block with a trace of its own: one item of a batch, whoever the others belong to."""
    former, bound = _current.get(), structlog.contextvars.get_contextvars()
    try:
        yield begin()
    finally:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**bound)
        _current.set(former)
