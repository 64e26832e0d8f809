"""A job as it was, by the moments in its row."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.models import Job
from jobs.running import history

BEGAN = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (0, ("queued", "", 12, None)),
        (1, ("running", "", 12, None)),
        (2, ("storing", "", 12, None)),
        (3, ("completed", "", 12, 10)),
    ],
)
def test_it_is_as_far_as_it_was(minutes, expected):
    job = Job(
        status="completed",
        credits_held=12,
        credits_captured=10,
        created_at=BEGAN,
        started_at=BEGAN + timedelta(minutes=1),
        answered_at=BEGAN + timedelta(minutes=2),
        completed_at=BEGAN + timedelta(minutes=3),
    )
    assert history.job_at(job, at=BEGAN + timedelta(minutes=minutes)) == expected


def test_a_failure_shows_from_its_end_on():
    job = Job(
        status="failed",
        error_code="PROVIDER_FAILED",
        credits_held=12,
        created_at=BEGAN,
        completed_at=BEGAN + timedelta(minutes=3),
    )
    assert history.job_at(job, at=BEGAN + timedelta(minutes=2)).error_code == ""
    assert history.job_at(job, at=BEGAN + timedelta(minutes=3)).error_code == "PROVIDER_FAILED"
