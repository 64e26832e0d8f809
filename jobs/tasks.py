"""The tasks of jobs, by name; each makes one domain call."""

from datetime import timedelta

from celery import shared_task

from imageskill.lib import clock
from imageskill.lib.redis import locks
from jobs.assets import downloads, retention, thumbnails
from jobs.running import daily_totals, sweeper, worker


@shared_task(name="jobs.run")
def run(*, job_id: str, **_: object) -> None:
    """Run a job until it ends or has to wait."""
    worker.run(job_id)


@shared_task(name="jobs.cancel_at_provider")
def cancel_at_provider(*, job_id: str, **_: object) -> None:
    """Cancel a job at the provider."""
    worker.cancel_at_provider(job_id)


@shared_task(name="jobs.thumbnail")
def thumbnail(*, asset_id: str, **_: object) -> None:
    """Check a stored image and make its thumbnail."""
    thumbnails.process(asset_id)


@shared_task(name="jobs.sweep")
def sweep(**_: object) -> None:
    """Continue what was left behind."""
    sweeper.sweep()


@shared_task(name="jobs.retain")
def retain(**_: object) -> None:
    """Delete what is past its retention; one that takes long is delivered twice and runs once."""
    with locks.held("jobs.retain") as is_mine:
        if is_mine:
            retention.enforce()


@shared_task(name="jobs.tally")
def count_today(**_: object) -> None:
    """Count how models did today, and yesterday as long as its last jobs may still end."""
    today = clock.utc_day(clock.now())
    daily_totals.count_day(today - timedelta(days=1))
    daily_totals.count_day(today)


@shared_task(name="jobs.write_downloads")
def write_downloads(**_: object) -> None:
    """Store how often images were downloaded."""
    downloads.flush()
