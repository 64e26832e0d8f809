"""What workers do for feedback, by name; each task makes one domain call."""

from celery import shared_task
from django.conf import settings

from feedback.github_queue import client, github_events, queue


@shared_task(name=queue.WORK_TASK)
def work_queue(*, repository: str, **_: object) -> None:
    """Take what is due at one repository."""
    queue.process(repository=repository)


@shared_task(name="feedback.sweep_queue")
def sweep_queue(**_: object) -> None:
    """Hand waiting reports out again."""
    queue.sweep()


@shared_task(name="feedback.read_issues")
def read_issues(**_: object) -> None:
    """Read what became of the issues since the last look."""
    if client.is_configured():
        github_events.poll(repository=settings.GITHUB_REPOSITORY)
