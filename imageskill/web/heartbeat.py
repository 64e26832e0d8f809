"""The task that proves that a worker takes work; a process that exists proves nothing."""

from celery import shared_task

from imageskill.web import health


@shared_task(name="canary.sing")
def record(*, queue: str, by: str = "", **_: object) -> None:
    """Record that a worker of this queue took a task just now, and who had sent it."""
    health.record_heartbeat(queue)
    if by == health.SCHEDULER:
        health.record_heartbeat(health.SCHEDULER)
