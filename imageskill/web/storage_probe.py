"""Whether images can be stored: a small file written, read back and deleted, now and then.

A thread of its own does it, so that a storage that hangs holds no request: health checks read the
latest verdict, and one that is overdue counts as bad.
"""

import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import storages

log = structlog.get_logger(__name__)

NAMES = ("default", "kept")
"""Where images are, and where outputs wait until they are there."""
EVERY_S = 20.0
OVERDUE_S = 30.0
FIRST_WAIT_S = 3.0  # for the first verdict of a process


class StorageProbe:
    """The latest verdict of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._is_running = False
        self._has_verdict = threading.Event()
        self._was_good = False
        self._at = 0.0

    def works(self) -> bool:
        """Return whether images could be stored when last tried; try again where that is due."""
        self._begin_if_due()
        if not self._has_verdict.wait(FIRST_WAIT_S):
            return False
        return self._was_good and self._age_s() < EVERY_S + OVERDUE_S

    def _age_s(self) -> float:
        return time.monotonic() - self._at

    def _begin_if_due(self) -> None:
        with self._lock:
            is_fresh = self._has_verdict.is_set() and self._age_s() < EVERY_S
            if self._is_running or is_fresh:
                return
            self._is_running = True
            if self._thread is None:  # not before, or a fork would inherit a pool without threads
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage-probe")
        self._thread.submit(self._try_all)

    def _try_all(self) -> None:
        try:
            self._was_good = all(_try(name) for name in NAMES)
        finally:
            self._at = time.monotonic()
            self._is_running = False
            self._has_verdict.set()


def _try(name: str) -> bool:
    """Return whether a file can be written, read and deleted there."""
    key, written = f"probes/{secrets.token_hex(8)}", secrets.token_bytes(16)
    storage = storages[name]
    try:
        storage.save(key, ContentFile(written))
        with storage.open(key) as file:
            is_same: bool = file.read() == written
        storage.delete(key)
    except Exception as error:  # noqa: BLE001 (each storage backend has errors of its own)
        # Its text may name a bucket or a folder; its number tells a full disk from a missing one.
        number = getattr(error, "errno", None)
        log.warning("storage_down", storage=name, error=type(error).__name__, errno=number)
        return False
    return is_same


probe = StorageProbe()
"""The one of this process."""
