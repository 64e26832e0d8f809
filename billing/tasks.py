"""What workers do for billing, by name; each task makes one domain call."""

import structlog
from celery import shared_task

from billing import books

log = structlog.get_logger(__name__)


@shared_task(name="billing.check_books")
def check_books(**_: object) -> None:
    """Check the books and keep the outcome."""
    run = books.check(actor="system:nightly")
    if run.problem_count:
        log.error("books_are_not_in_order", problems=run.problem_count)
