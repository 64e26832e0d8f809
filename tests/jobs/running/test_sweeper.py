"""Finishing what was left behind."""

from datetime import timedelta

import pytest

from billing import ledger
from imageskill.lib import clock
from imageskill.lib.redis.client import client
from jobs import states
from jobs.models import Job, Loss
from jobs.running import hold_checks, lifecycle, sweeper


@pytest.fixture
def job(transactional_db, api, agent):
    body = {"prompt": "a lighthouse", "model": "local.sketch"}
    job_id = api.post("/v1/create", token=agent.token, json=body).data["job_id"]
    return Job.objects.get(public_id=job_id)


@pytest.fixture
def lost(job, drain_nothing):
    """A job whose message is gone."""
    Job.objects.update(sent_at=clock.now() - timedelta(minutes=1))
    return job


@pytest.fixture
def drain_nothing():
    """Throw away what is in the queues."""

    client().flushdb()


def long_ago():
    return clock.now() - timedelta(days=2)


class TestSweep:
    def test_sends_a_lost_message_again(self, lost, drain):
        assert sweeper.sweep()["sent"] == 1

        drain()

        assert Job.objects.get().status == states.COMPLETED
        assert not list(hold_checks.problems())

    def test_leaves_fresh_ones_alone(self, job):
        assert sweeper.sweep() == {"ended": 0, "sent": 0, "handed_over": 0}

    def test_does_not_send_again_at_every_look(self, lost):
        sweeper.sweep()

        assert sweeper.sweep()["sent"] == 0

    def test_hands_over_what_a_lost_worker_had(self, lost, drain):
        lifecycle.start(lost, lease="lost")
        Job.objects.update(leased_until=clock.now() - timedelta(seconds=1))

        assert sweeper.sweep()["handed_over"] == 1

        drain()
        assert Job.objects.get().status == states.COMPLETED

    def test_leaves_a_living_workers_job_alone(self, lost):
        lifecycle.start(lost, lease="alive")

        assert sweeper.sweep()["handed_over"] == 0

    def test_lost_call_makes_the_outcome_unknown_and_is_not_repeated(self, lost, drain, agent):
        lifecycle.start(lost, lease="lost")
        lifecycle.record_call(lost)
        Job.objects.update(leased_until=clock.now() - timedelta(seconds=1))
        sweeper.sweep()

        drain()

        job = Job.objects.get()
        assert (job.status, job.is_outcome_unknown, job.attempts) == (states.RUNNING, True, 1)
        assert ledger.balances(agent.organization.pk).held == 1
        assert not list(hold_checks.problems())

    def test_unknown_outcome_is_left_alone_until_its_deadline(self, lost, settings):
        lifecycle.start(lost, lease="lost")
        lifecycle.mark_outcome_unknown(lost)
        assert sweeper.sweep() == {"ended": 0, "sent": 0, "handed_over": 0}
        Job.objects.update(deadline_at=long_ago())

        assert sweeper.sweep()["ended"] == 1

        job = Job.objects.get()
        assert (job.status, job.error_code) == (states.FAILED, "PROVIDER_OUTCOME_UNKNOWN")
        assert Loss.objects.get().usd == job.planned_usd

    def test_queued_past_its_deadline_times_out(self, lost, agent):
        Job.objects.update(deadline_at=long_ago())

        sweeper.sweep()

        assert Job.objects.get().error_code == "TIMEOUT"
        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)
        assert not list(hold_checks.problems())

    def test_running_past_its_deadline_times_out_after_its_workers_own_time(self, lost):
        lifecycle.start(lost, lease="alive")
        Job.objects.update(deadline_at=clock.now() - timedelta(seconds=1))
        assert sweeper.sweep()["ended"] == 0
        Job.objects.update(deadline_at=clock.now() - timedelta(minutes=5))

        assert sweeper.sweep()["ended"] == 1

        assert Job.objects.get().error_code == "TIMEOUT"
