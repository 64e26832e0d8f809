"""Ledger checks: whether every credit is where its history says.

Other apps check what only they know (a job and its hold): `settings.BOOK_CHECKS` names every
function that takes part, so that nothing here imports upward.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.module_loading import import_string

from accounts import audit
from accounts.models import User
from billing.ledger import invariants, invariants_since
from billing.models import BooksCheck, JobHold, Transfer
from imageskill.lib import clock
from imageskill.lib.queue import enqueue

CHECK_TASK = "billing.check_books"
_MAX_STORED_PROBLEMS = 100
_FULL_RUN_EVERY = timedelta(days=7)
_LONGEST_TRANSACTION = timedelta(minutes=15)


class LedgerProblem(NamedTuple):
    """One error: the check that found it, its subject, and a message."""

    check: str
    subject: str
    message: str


class CheckedUpTo(NamedTuple):
    """Up to where a clean run has checked the books."""

    last_transfer_id: int
    at: datetime


LedgerCheck = Callable[[CheckedUpTo | None], Iterable[LedgerProblem]]


class JobHoldSummary(NamedTuple):
    """The ledger's view of a job."""

    state: str
    credits: int
    captured: int


def request_check(*, user: User, reason: str) -> None:
    """Queue a run of the ledger checks on behalf of staff."""
    with transaction.atomic():
        audit.record(user=user, action="books.check", subject="books", reason=reason)
        enqueue(CHECK_TASK, actor=f"user:{user.pk}")


def run_check(*, actor: str, is_incremental: bool = False) -> BooksCheck:
    """Run every check on one snapshot of the database and store the result.

    `is_incremental` checks what changed since the last run, where that was clean and a full one is
    not a week ago.
    """
    started_at = clock.now()
    since = _last_clean_run(started_at) if is_incremental else None
    last_transfer_id = _last_settled_transfer_id(started_at)
    problems = find_problems(since=since)
    return BooksCheck.objects.create(
        started_at=started_at,
        finished_at=clock.now(),
        actor=actor,
        is_full=since is None,
        last_transfer_id=last_transfer_id,
        problem_count=len(problems),
        problems=[
            {"check": name, "subject": subject, "message": message}
            for name, subject, message in problems[:_MAX_STORED_PROBLEMS]
        ],
    )


def find_problems(
    *, say: Callable[[str], None] = lambda _: None, since: CheckedUpTo | None = None
) -> list[LedgerProblem]:
    """Run every check on one snapshot of the database, and return the errors.

    `since` limits the costly ones to what changed after a clean run. Reports its progress to `say`.
    """
    problems: list[LedgerProblem] = []
    with _snapshot():
        for number, name in enumerate(settings.BOOK_CHECKS, start=1):
            say(f"{name} ({number} of {len(settings.BOOK_CHECKS)})")
            run: LedgerCheck = import_string(name)
            problems.extend(run(since))
    return problems


def last_clean_run() -> CheckedUpTo | None:
    """Return up to where the books were found in order; None where a full run is due."""
    return _last_clean_run(clock.now())


def ledger_problems(since: CheckedUpTo | None = None) -> Iterator[LedgerProblem]:
    """Yield the violations of the ledger's own invariants."""
    queries = dict(invariants.INVARIANTS)
    if since is not None:
        changed = invariants_since.INVARIANTS_SINCE.items()
        queries |= {
            name: sql.replace("{since}", str(since.last_transfer_id)) for name, sql in changed
        }
    for name, sql in queries.items():
        with connection.cursor() as cursor:
            cursor.execute(sql)
            for subject, message in cursor.fetchall():
                yield LedgerProblem(name, str(subject), message)


def _last_clean_run(now: datetime) -> CheckedUpTo | None:
    latest = BooksCheck.objects.order_by("-id").first()
    if latest is None or latest.problem_count:
        return None
    full = BooksCheck.objects.filter(is_full=True, started_at__gt=now - _FULL_RUN_EVERY)
    return CheckedUpTo(latest.last_transfer_id, latest.started_at) if full.exists() else None


def _last_settled_transfer_id(now: datetime) -> int:
    """Return a transfer before which none can be committed later: ids are taken before commits."""
    settled = Transfer.objects.filter(created_at__lt=now - _LONGEST_TRANSACTION)
    return settled.order_by("-created_at", "-id").values_list("id", flat=True).first() or 0


def job_holds(job_ids: Iterable[str]) -> dict[str, JobHoldSummary]:
    """Return the holds of these jobs; jobs without one are left out."""
    rows = JobHold.objects.filter(job_id__in=list(job_ids)).values_list(
        "job_id",
        "state",
        F("preview") + F("paid"),
        F("captured_preview") + F("captured_paid"),
    )
    return {job_id: JobHoldSummary(*summary) for job_id, *summary in rows}


def open_hold_job_ids(*, batch: int = 1000) -> Iterator[list[str]]:
    """Yield the ids of all jobs with an open hold, in batches."""
    last = 0
    rows = JobHold.objects.filter(state=JobHold.State.OPEN).order_by("id")
    while page := list(rows.filter(id__gt=last).values_list("id", "job_id")[:batch]):
        last = page[-1][0]
        yield [job_id for _, job_id in page]


@contextmanager
def _snapshot() -> Iterator[None]:
    # On a busy ledger, statements that see different moments would report false errors.
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
