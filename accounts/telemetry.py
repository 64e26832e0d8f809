"""Telemetry: queued in memory and written in batches by a thread, outside of requests."""

import atexit
import threading
import time
from collections import deque
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import Error, close_old_connections, connection

from accounts.models import TelemetryRow
from imageskill import __version__
from imageskill.lib import clock, secrets

log = structlog.get_logger("telemetry")

_MAX_QUEUED = 10_000  # beyond it the oldest rows are dropped, which bounds memory
_BATCH = 500
_PAUSE_S = 1.0
_EXPIRE_BATCH = 5000

# Every request writes a row: inserting it as a model takes milliseconds, COPY microseconds.
_COLUMNS: dict[str, Any] = {
    field.attname: field.get_default()
    for field in TelemetryRow._meta.concrete_fields
    if not field.primary_key
}
_COPY = f"COPY {TelemetryRow._meta.db_table} ({', '.join(_COLUMNS)}) FROM STDIN"

_queue: deque[dict[str, Any]] = deque(maxlen=_MAX_QUEUED)
_lock = threading.Lock()
_writer: threading.Thread | None = None


def record(**fields: Any) -> None:
    """Queue one row (fields of `TelemetryRow`) and log it; returns immediately.

    Callers pass names, counts and ids only; what a client calls itself is redacted. Does nothing
    while `TELEMETRY` is off.
    """
    if not settings.TELEMETRY:
        return
    unknown = fields.keys() - _COLUMNS.keys()
    if unknown:
        raise TypeError(f"telemetry has no {sorted(unknown)}")
    fields["client"] = secrets.redact(fields.get("client", "")[:500])[:120]
    log.info("telemetry", **{name: value for name, value in fields.items() if value is not None})
    _queue.append(_COLUMNS | {"at": clock.now(), "api_version": __version__} | fields)
    _ensure_writer()


def flush() -> int:
    """Write the queued rows in this thread; return how many."""
    written = 0
    while _queue:
        batch = [_queue.popleft() for _ in range(min(_BATCH, len(_queue)))]
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for row in batch:
                copy.write_row([row[column] for column in _COLUMNS])
        written += len(batch)
    return written


def expire(*, before: datetime) -> int:
    """Delete rows older than that time in batches; return how many."""
    deleted = 0
    while batch := list(
        TelemetryRow.objects.filter(at__lt=before).values_list("pk", flat=True)[:_EXPIRE_BATCH]
    ):
        TelemetryRow.objects.filter(pk__in=batch).delete()
        deleted += len(batch)
    return deleted


def _ensure_writer() -> None:
    global _writer
    if not settings.TELEMETRY_WRITER or (_writer is not None and _writer.is_alive()):
        return
    with _lock:
        if _writer is None or not _writer.is_alive():
            _writer = threading.Thread(target=_write_forever, name="telemetry", daemon=True)
            _writer.start()
            atexit.register(_flush_quietly)


def _write_forever() -> None:
    while True:
        time.sleep(_PAUSE_S)
        _flush_quietly()


def _flush_quietly() -> None:
    if not _queue:
        return
    try:
        close_old_connections()
        flush()
    except Error as error:
        log.warning("telemetry_not_written", error=type(error).__name__)
    finally:
        connection.close()
