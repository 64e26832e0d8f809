"""Waiting for a job inside a request, without holding up others.

At most `CREATE_WAITERS` requests of a process wait, so that threads are left for everybody else;
past that, callers are told at once that the job runs. No connection is kept while waiting.
"""

import threading
import time

from django.conf import settings

from imageskill.lib import database, wakeups
from jobs.models import Job
from jobs.running.outcomes import pending_error_for

_MIN_PAUSE_S = 1.0
_MAX_PAUSE_S = 5.0

_slots = threading.BoundedSemaphore(settings.CREATE_WAITERS)


def wait(job: Job, *, timeout_s: float) -> None:
    """Wait until the job has ended, is known to go on without its caller, or the time is up.

    Leaves `job` as its row is then. A missed ring costs a pause of a few seconds, no more.
    """
    if timeout_s <= 0 or not _slots.acquire(blocking=False):
        job.refresh_from_db()
        return
    try:
        with wakeups.Waiter(job.public_id) as ear:
            _wait_until_settled(job, ear, until=time.monotonic() + timeout_s)
    finally:
        _slots.release()


def _wait_until_settled(job: Job, ear: wakeups.Waiter, *, until: float) -> None:
    pause_s = _MIN_PAUSE_S
    job.refresh_from_db()
    while not _is_settled(job) and (left_s := until - time.monotonic()) > 0:
        database.release_connection()
        ear.wait(min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, _MAX_PAUSE_S)
        job.refresh_from_db()


def _is_settled(job: Job) -> bool:
    return job.is_final or pending_error_for(job) is not None
