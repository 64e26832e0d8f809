"""Whether images can be stored: a small file written, read back and deleted, now and then.

A thread of its own does it, so that a storage that hangs holds no request: health checks read the
latest verdict, and one that is overdue counts as bad.
"""

import math
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
WAIT_S = 3.0  # for a verdict where there is none that is recent


class StorageProbe:
    """The latest verdict of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._is_done = threading.Event()  # the latest try
        self._is_done.set()
        self._was_good = False
        self._at = -math.inf

    def works(self) -> bool:
        """Return whether images could be stored when last tried; try again where that is due."""
        self._begin_if_due()
        if self._is_overdue():  # the first, or the first for a while that somebody asks
            self._is_done.wait(WAIT_S)
        return self._was_good and not self._is_overdue()

    def _age_s(self) -> float:
        return time.monotonic() - self._at

    def _is_overdue(self) -> bool:
        return self._age_s() > EVERY_S + OVERDUE_S

    def _begin_if_due(self) -> None:
        with self._lock:
            if not self._is_done.is_set() or self._age_s() < EVERY_S:
                return
            self._is_done.clear()
            if self._thread is None:  # not before, or a fork would inherit a pool without threads
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage-probe")
        self._thread.submit(self._try_all)

    def _try_all(self) -> None:
        try:
            self._was_good = all(_try(name) for name in NAMES)
        finally:
            self._at = time.monotonic()
            self._is_done.set()


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
