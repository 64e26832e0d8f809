"""Ledger checks: whether every credit is where its history says.

Other apps check what only they know (a job and its hold): `settings.BOOK_CHECKS` names every
function that takes part, so that nothing here imports upward.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from accounts import audit
from accounts.models import User
from billing.ledger import invariants
from billing.models import BooksCheck, JobHold
from imageskill.lib import clock
from imageskill.lib.queue import enqueue

CHECK_TASK = "billing.check_books"
_MAX_STORED_PROBLEMS = 100


class LedgerProblem(NamedTuple):
    """One error: the check that found it, its subject, and a message."""

    check: str
    subject: str
    message: str


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


def run_check(*, actor: str) -> BooksCheck:
    """Run every check on one snapshot of the database and store the result."""
    started_at = clock.now()
    problems = find_problems()
    return BooksCheck.objects.create(
        started_at=started_at,
        finished_at=clock.now(),
        actor=actor,
        problem_count=len(problems),
        problems=[
            {"check": name, "subject": subject, "message": message}
            for name, subject, message in problems[:_MAX_STORED_PROBLEMS]
        ],
    )


def find_problems(*, say: Callable[[str], None] = lambda _: None) -> list[LedgerProblem]:
    """Run every check on one snapshot of the database, and return the errors.

    Reports its progress to `say`: with a long history it takes minutes.
    """
    problems: list[LedgerProblem] = []
    with _snapshot():
        for number, name in enumerate(settings.BOOK_CHECKS, start=1):
            say(f"{name} ({number} of {len(settings.BOOK_CHECKS)})")
            run: Callable[[], Iterable[LedgerProblem]] = import_string(name)
            problems.extend(run())
    return problems


def ledger_problems() -> Iterator[LedgerProblem]:
    """Yield the violations of the ledger's own invariants."""
    for name, sql in invariants.INVARIANTS.items():
        with connection.cursor() as cursor:
            cursor.execute(sql)
            for subject, message in cursor.fetchall():
                yield LedgerProblem(name, str(subject), message)


def job_holds(job_ids: Iterable[str]) -> dict[str, JobHoldSummary]:
    """Return the holds of these jobs; jobs without one are left out."""
    rows = JobHold.objects.filter(job_id__in=list(job_ids))
    return {row.job_id: JobHoldSummary(row.state, row.credits, row.captured) for row in rows}


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
