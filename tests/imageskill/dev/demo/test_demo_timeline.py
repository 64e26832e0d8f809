"""Steps of a history happen in their order, each at its moment, with all that follows from it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from imageskill.dev.demo.runtime.timeline import Timeline, one_transaction
from imageskill.lib import clock
from imageskill.lib.queue import enqueue

BEGIN = datetime(2026, 1, 31, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def timeline():
    return Timeline(BEGIN)


@pytest.fixture
def done():
    return []


def run(timeline, hours=24):
    timeline.run(until=BEGIN + hours * HOUR, say=lambda text: None)


@pytest.mark.django_db
class TestTimeline:
    def test_does_steps_in_the_order_of_time(self, timeline, done):
        for hours in (3, 1, 2):
            timeline.plan(BEGIN + hours * HOUR, lambda: done.append(clock.now()))
        run(timeline)
        assert done == [BEGIN + hours * HOUR for hours in (1, 2, 3)]

    def test_never_goes_back_where_a_step_took_long(self, timeline, done):
        timeline.plan(BEGIN + HOUR, timeline.wait, 7200)
        timeline.plan(BEGIN + 2 * HOUR, lambda: done.append(clock.now()))
        run(timeline)
        assert done == [BEGIN + 3 * HOUR]

    def test_drops_what_comes_after_its_end(self, timeline, done):
        timeline.plan(BEGIN + 30 * HOUR, done.append, "late")
        run(timeline)
        assert done == []
        assert timeline.now == BEGIN + 24 * HOUR

    def test_does_tasks_and_webhooks_before_the_next_step(self, timeline, done, monkeypatch):
        monkeypatch.setattr(timeline, "_work", lambda: done.append("task") and False)
        timeline.webhooks.append(lambda: done.append("webhook") and False)
        timeline.plan(BEGIN + HOUR, done.append, "first")
        timeline.plan(BEGIN + 2 * HOUR, done.append, "second")
        run(timeline)
        assert done == ["first", "task", "webhook", "second", "task", "webhook"]

    def test_runs_tasks_at_once_that_the_broker_would_carry(self, timeline, done, monkeypatch):
        monkeypatch.setattr("jobs.assets.thumbnails.process", done.append)
        timeline.plan(BEGIN + HOUR, enqueue, "jobs.thumbnail", asset_id="image_1")
        run(timeline)
        assert done == ["image_1"]

    def test_loses_tasks_where_it_is_told_to(self, timeline, done, monkeypatch):
        monkeypatch.setattr("jobs.assets.thumbnails.process", done.append)
        timeline.lost = {"jobs.thumbnail"}
        timeline.plan(BEGIN + HOUR, enqueue, "jobs.thumbnail", asset_id="image_1")
        run(timeline)
        assert done == []


@pytest.mark.django_db(transaction=True)
def test_one_transaction_commits_nothing_before_its_end(done, timeline):
    with one_transaction():
        timeline.plan(BEGIN + HOUR, lambda: transaction.on_commit(lambda: done.append("told")))
        run(timeline)
        assert done == ["told"]  # within the history, and not once more at its end
        assert connection.in_atomic_block
    assert done == ["told"]
