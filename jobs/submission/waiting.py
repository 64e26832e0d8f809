"""Wait for a job inside a request, without blocking other requests.

At most `CREATE_WAITERS` requests of a process wait, which leaves threads for all others; beyond
that, callers learn at once that the job is running. No database connection is held meanwhile.
"""

import threading
import time

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError

from imageskill.lib import database, metrics
from imageskill.lib.redis import wakeups
from jobs.models import Job
from jobs.running.outcomes import pending_error_for

log = structlog.get_logger(__name__)

_MIN_PAUSE_S = 1.0
_MAX_PAUSE_S = 5.0
_READ_TIMEOUT_S = 10.0  # a read of a database that is gone may take as long as the pool waits

_slots = threading.BoundedSemaphore(settings.CREATE_WAITERS)


def wait(job: Job, *, timeout_s: float) -> bool:
    """Wait until the job has ended, will continue without its caller, or the time is up.

    Refreshes `job` from its row, and returns False where the database could not be read; never
    raises for that, as the job goes on. A missed wakeup costs a pause of a few seconds, no more.
    """
    if timeout_s <= 0 or not _slots.acquire(blocking=False):
        return _refresh(job)
    try:
        with metrics.WAITING_CALLERS.track_inprogress(), wakeups.Waiter(job.public_id) as waiter:
            return _wait_until_settled(job, waiter, until=time.monotonic() + timeout_s)
    finally:
        _slots.release()


def _wait_until_settled(job: Job, waiter: wakeups.Waiter, *, until: float) -> bool:
    pause_s = _MIN_PAUSE_S
    while True:
        # Read after the waiter listens: an end between the two would otherwise wake nobody.
        is_read = _refresh(job)
        left_s = until - time.monotonic() - (0 if is_read else _READ_TIMEOUT_S)
        if left_s <= 0 or (is_read and _is_settled(job)):
            return is_read
        database.release_connection()
        waiter.wait(min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, _MAX_PAUSE_S)


def _refresh(job: Job) -> bool:
    """Read the job's row; False where the database is gone, and the job is left as it was."""
    try:
        job.refresh_from_db()
    except (OperationalError, InterfaceError) as error:
        log.warning("job_not_read", error=type(error).__name__)
        database.release_connection()
        return False
    return True


def _is_settled(job: Job) -> bool:
    return job.is_final or pending_error_for(job) is not None
