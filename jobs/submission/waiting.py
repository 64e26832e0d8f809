"""Wait for a job inside a request, without blocking other requests.

At most `CREATE_WAITERS` requests of a process wait, which leaves threads for all others; beyond
that, callers learn at once that the job is running. No database connection is held meanwhile.
"""

import threading
import time

from django.conf import settings

from imageskill.lib import database
from imageskill.lib.redis import wakeups
from jobs.models import Job
from jobs.running.outcomes import pending_error_for

_MIN_PAUSE_S = 1.0
_MAX_PAUSE_S = 5.0

_slots = threading.BoundedSemaphore(settings.CREATE_WAITERS)


def wait(job: Job, *, timeout_s: float) -> None:
    """Wait until the job has ended, will continue without its caller, or the time is up.

    Refreshes `job` from its row. A missed wakeup costs a pause of a few seconds, no more.
    """
    if timeout_s <= 0 or not _slots.acquire(blocking=False):
        job.refresh_from_db()
        return
    try:
        with wakeups.Waiter(job.public_id) as waiter:
            _wait_until_settled(job, waiter, until=time.monotonic() + timeout_s)
    finally:
        _slots.release()


def _wait_until_settled(job: Job, waiter: wakeups.Waiter, *, until: float) -> None:
    pause_s = _MIN_PAUSE_S
    # Read after the waiter listens: an end between the two would otherwise wake nobody.
    job.refresh_from_db()
    while not _is_settled(job) and (left_s := until - time.monotonic()) > 0:
        database.release_connection()
        waiter.wait(min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, _MAX_PAUSE_S)
        job.refresh_from_db()


def _is_settled(job: Job) -> bool:
    return job.is_final or pending_error_for(job) is not None
