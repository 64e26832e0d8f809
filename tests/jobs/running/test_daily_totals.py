"""Figures by day: counted again they are the same."""

from datetime import timedelta

import pytest

from billing.ledger import daily_totals as money
from billing.models import MoneyDay
from billing.tasks import count_daily_totals
from imageskill.lib import clock
from jobs.models import Job, ModelDay
from jobs.running import daily_totals


@pytest.fixture
def done(transactional_db, api, agent, drain):
    for prompt in ("one", "two"):
        api.post("/v1/create", token=agent.token, json={"prompt": prompt, "model": "local.sketch"})
    drain()
    return Job.objects.filter(agent=agent.agent)


class TestDay:
    def test_it_counts_what_ended_that_day_and_again_the_same(self, done):
        today = clock.utc_day(clock.now())
        for _ in range(2):
            daily_totals.count_day(today)
            money.count_day(today)
        row = ModelDay.objects.get()
        assert (row.model_id, row.completed, row.failed, row.outputs) == ("local.sketch", 2, 0, 2)
        assert row.credits == sum(job.credits_captured for job in done)
        assert row.median_s is not None
        assert row.median_s <= row.p95_s
        assert MoneyDay.objects.get(name="capture").credits == row.credits

    def test_other_days_stay_empty(self, done):
        daily_totals.count_day(clock.utc_day(clock.now()) - timedelta(days=1))
        assert not ModelDay.objects.exists()


def test_the_task_counts_money_and_wallets(done):
    count_daily_totals()
    assert MoneyDay.objects.filter(name="capture").exists()
    assert money.wallet_totals().counted_at is not None
