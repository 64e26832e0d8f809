"""Leases: a worker renews the lease of each job that it works on, or the job counts as stalled.

One thread a process renews all of them with one statement. A job whose lease has run out is free,
and the sweeper sends it to another worker (ADR 12). A lease keeps two workers apart only as long
as both see the clock and the database: it saves work, while the row's status keeps what is true.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import Error, connection, transaction

from imageskill.lib import clock, ids
from jobs.models import Job

log = structlog.get_logger(__name__)

_RENEWALS_PER_LEASE = 3  # so that one that fails, or comes late, costs no job
_lock = threading.Lock()
_held: set[str] = set()
_renewer: threading.Thread | None = None


def new_id() -> str:
    """Make the id of a lease: one for each time that a job is picked up."""
    return ids.random_text(22)


def duration() -> timedelta:
    """Return how long a lease lasts without renewal."""
    return timedelta(seconds=settings.JOB_LEASE_S)


@contextmanager
def renewing(lease: str) -> Iterator[None]:
    """Renew the lease while the block runs; afterwards let it run out."""
    with _lock:
        _held.add(lease)
    _ensure_renewer()
    try:
        yield
    finally:
        with _lock:
            _held.discard(lease)


def _ensure_renewer() -> None:
    global _renewer
    with _lock:
        # After a fork the thread exists in the parent alone.
        if _renewer is None or not _renewer.is_alive():
            _renewer = threading.Thread(target=_renew_forever, name="leases", daemon=True)
            _renewer.start()


def _renew(leases: list[str]) -> None:
    """Renew them together, past rows that are locked: whoever changes one is alive.

    Waiting for one row would let the leases of all the others run out.
    """
    with transaction.atomic():
        unlocked = Job.objects.filter(lease__in=leases).select_for_update(skip_locked=True)
        Job.objects.filter(pk__in=unlocked.values("pk")).update(
            leased_until=clock.now() + duration()
        )


def _renew_forever() -> None:
    pause = threading.Event()
    while True:
        pause.wait(settings.JOB_LEASE_S / _RENEWALS_PER_LEASE)
        with _lock:
            leases = list(_held)
        if not leases:
            continue
        try:
            _renew(leases)
        except Error as error:  # the next round tries again; the thread must not end
            log.warning("leases_not_renewed", error=type(error).__name__)
        finally:
            connection.close()
