"""What workers do for feedback, by name; each task makes one domain call."""

from celery import shared_task
from django.conf import settings

from feedback.github_queue import client, github_events, issue_sync, queue


@shared_task(name=queue.WORK_TASK)
def work_queue(*, repository: str, **_: object) -> None:
    """Process what is due at one repository."""
    queue.process(repository=repository)


@shared_task(name="feedback.sweep_queue")
def sweep_queue(**_: object) -> None:
    """Queue waiting reports again."""
    queue.sweep()


@shared_task(name="feedback.read_issues")
def read_issues(**_: object) -> None:
    """Read what happened to the issues since the last poll."""
    if client.is_configured():
        issue_sync.poll(repository=settings.GITHUB_REPOSITORY)


@shared_task(name=github_events.HANDLE_TASK)
def handle_github_event(*, delivery_id: str, **_: object) -> None:
    """Handle one stored event of GitHub's."""
    github_events.handle(delivery_id=delivery_id)


@shared_task(name="feedback.sweep_github_events")
def sweep_github_events(**_: object) -> None:
    """Queue due events again: their message was lost, or they failed before."""
    github_events.requeue_due()
