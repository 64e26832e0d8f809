"""What workers do for the console, by name."""

from celery import shared_task

from imageskill.console import exporting


@shared_task(name=exporting.WRITE_TASK)
def export(*, export_id: int, **_: object) -> None:
    """Write a long export."""
    exporting.write_file(export_id=export_id)


@shared_task(name="console.forget_exports")
def forget_exports(**_: object) -> None:
    """Remove exports whose time is over, send lost ones again."""
    exporting.clean_up()
