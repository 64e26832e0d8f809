"""What workers do for feedback, by name; each task makes one domain call."""

from celery import shared_task
from django.conf import settings

from feedback import github, issue_news, issue_queue


@shared_task(name=issue_queue.WORK)
def work_queue(*, repository: str, **_: object) -> None:
    """Take what is due at one repository."""
    issue_queue.work(repository=repository)


@shared_task(name="feedback.sweep_queue")
def sweep_queue(**_: object) -> None:
    """Hand waiting reports out again."""
    issue_queue.sweep()


@shared_task(name="feedback.read_issues")
def read_issues(**_: object) -> None:
    """Read what became of the issues since the last look."""
    if github.is_configured():
        issue_news.read(repository=settings.GITHUB_REPOSITORY)
