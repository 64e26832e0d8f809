"""What workers do for the console, by name."""

from celery import shared_task

from imageskill.console import exporting


@shared_task(name="console.export")
def export(*, user_id: int, model: str, query: str, **_: object) -> None:
    """Write a long export."""
    exporting.make(user_id=user_id, model=model, query=query)


@shared_task(name="console.forget_exports")
def forget_exports(**_: object) -> None:
    """Remove exports whose time is over."""
    exporting.forget_expired()
