"""The trace id of the current request or task, carried into the rows that it writes."""

import secrets
from contextvars import ContextVar

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


def set_current(trace_id: str | None) -> None:
    """Set the trace id from here on (None clears it)."""
    _current.set(trace_id)
