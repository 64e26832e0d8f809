"""The moves of a job: each is claimed once, whoever comes first, and money follows."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import ActivityEvent
from billing import ledger
from imageskill.lib import clock
from imageskill.lib.errors import Timeout
from jobs import states
from jobs.models import Job, Loss
from jobs.providers.failures import POLICY, ProviderPolicyDenied
from jobs.providers.interface import Submission
from jobs.running import hold_checks, lifecycle
from jobs.running.lifecycle import DecodedOutput, JobFailure


@pytest.fixture
def job(transactional_db, api, agent):
    """A queued job that holds one credit."""
    body = {"prompt": "a lighthouse", "model": "local.sketch"}
    job_id = api.post("/v1/create", token=agent.token, json=body).data["job_id"]
    return Job.objects.get(public_id=job_id)


@pytest.fixture
def running(job):
    lifecycle.start(job, lease="first")
    job.refresh_from_db()
    return job


@pytest.fixture
def storing(running):
    made = DecodedOutput(
        index=0,
        kept_key="nowhere",
        mime_type="image/png",
        content_length=1,
        width=1,
        height=1,
        sha256="0" * 64,
    )
    lifecycle.stage_outputs(running, outputs=[made], reported_usd=None, usage={}, request_id=None)
    running.refresh_from_db()
    return running


def at_once(*functions):
    """Run functions in threads, as close together as can be; return what they returned."""
    results = [None] * len(functions)
    start = threading.Barrier(len(functions))

    def run(number, function):
        try:
            start.wait()
            results[number] = function()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def copy(job):
    return Job.objects.get(pk=job.pk)


class TestStart:
    def test_one_of_many_gets_it(self, job):
        won = at_once(*[lambda n=n: lifecycle.start(job, lease=str(n)) for n in range(8)])

        assert sorted(won) == [False] * 7 + [True]


class TestTakeOver:
    def test_living_worker_keeps_its_job(self, running):
        assert not lifecycle.resume(running, lease="second")

    def test_job_of_a_lost_worker_is_taken_by_one(self, running):
        Job.objects.update(leased_until=clock.now())

        won = at_once(*[lambda n=n: lifecycle.resume(running, lease=str(n)) for n in range(8)])

        assert sorted(won) == [False] * 7 + [True]
        assert copy(running).redeliveries == 1


class TestNoteCall:
    def test_is_true_once(self, running):
        assert lifecycle.record_call(running)
        assert not lifecycle.record_call(running)

    def test_canceled_job_is_never_called(self, running):
        lifecycle.cancel(running, actor="test")

        assert not lifecycle.record_call(copy(running))


class TestNoteSubmission:
    def test_is_kept_for_a_canceled_job_too(self, running):
        lifecycle.record_call(running)
        lifecycle.cancel(copy(running), actor="test")

        goes_on = lifecycle.record_submission(running, Submission(request_id="r", state={"a": 1}))

        assert not goes_on
        assert copy(running).provider_request_id == "r"


def _complete(job):
    return lifecycle.complete(job, job.staged_outputs.all(), stored_at=clock.now())


class TestComplete:
    def test_charges_once_under_fire(self, storing, agent):
        won = at_once(*[lambda: _complete(copy(storing)) for _ in range(6)])

        assert sorted(won) == [False] * 5 + [True]
        assert ledger.balances(agent.organization.pk) == (39, 0, 0, 0)
        assert ActivityEvent.objects.filter(type="job.completed").count() == 1
        assert not list(hold_checks.problems())

    def test_against_failing_exactly_one_wins(self, storing, agent):
        completed, failed = at_once(
            lambda: _complete(copy(storing)),
            lambda: lifecycle.fail(copy(storing), JobFailure(error=Timeout)),
        )

        assert completed != failed
        assert ledger.balances(agent.organization.pk).preview == (39 if completed else 40)
        assert ledger.balances(agent.organization.pk).held == 0
        assert ActivityEvent.objects.filter(type="job.completed").count() == 1
        assert not list(hold_checks.problems())

    def test_after_failing_is_too_late(self, storing):
        lifecycle.fail(copy(storing), JobFailure(error=Timeout))

        assert not _complete(storing)
        assert not copy(storing).assets.exists()


class TestFail:
    def test_gives_credits_and_slot_back(self, running, api, agent):
        lifecycle.fail(running, JobFailure(error=Timeout))

        quota = api.get("/v1/quota", token=agent.token).data
        assert quota["daily_jobs"]["used"] == 0
        assert quota["limits"]["remaining_credits"] == 40
        assert not list(hold_checks.problems())

    def test_callers_fault_keeps_the_slot_used(self, running, api, agent):
        ending = JobFailure(error=ProviderPolicyDenied, failure=POLICY.name)

        lifecycle.fail(running, ending)

        quota = api.get("/v1/quota", token=agent.token).data
        assert quota["daily_jobs"]["used"] == 1
        assert quota["limits"]["remaining_credits"] == 40

    def test_twice_is_once(self, running, agent):
        won = at_once(
            *[lambda: lifecycle.fail(copy(running), JobFailure(error=Timeout)) for _ in range(4)]
        )

        assert sorted(won) == [False] * 3 + [True]
        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)

    def test_against_cancel_exactly_one_wins(self, running, agent):
        failed, canceled = at_once(
            lambda: lifecycle.fail(copy(running), JobFailure(error=Timeout)),
            lambda: lifecycle.cancel(copy(running), actor="test"),
        )

        assert failed != canceled
        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)

    def test_rolls_back_whole(self, running, agent):
        with transaction.atomic():
            lifecycle.fail(running, JobFailure(error=Timeout))
            transaction.set_rollback(True)

        assert copy(running).status == states.RUNNING
        assert ledger.balances(agent.organization.pk).held == 1
        assert not ActivityEvent.objects.filter(type="job.completed").exists()


class TestCancel:
    def test_leaves_what_is_being_stored(self, storing):
        assert not lifecycle.cancel(storing, actor="test")

    def test_what_comes_after_is_a_loss_of_the_house(self, running, agent, drain):
        lifecycle.cancel(copy(running), actor="test")

        kept = lifecycle.stage_outputs(
            running, outputs=[], reported_usd=None, usage={}, request_id=None
        )

        assert not kept
        assert copy(running).status == states.CANCELED


class TestUnknownOutcome:
    def test_keeps_its_hold(self, running, agent):
        lifecycle.mark_outcome_unknown(running)

        assert copy(running).is_outcome_unknown
        assert ledger.balances(agent.organization.pk).held == 1

    def test_answer_that_comes_after_all_counts(self, running):
        lifecycle.mark_outcome_unknown(running)

        assert lifecycle.stage_outputs(
            running, outputs=[], reported_usd=None, usage={}, request_id=None
        )
        assert not copy(running).is_outcome_unknown


class TestConstraints:
    @pytest.mark.parametrize(
        "changes",
        [
            {"status": "nonsense"},
            {"status": "completed"},
            {"status": "queued", "completed_at": "2026-01-01T00:00Z"},
            {"credits_held": 0},
            {"credits_captured": 1},
            {"status": "failed", "completed_at": "2026-01-01T00:00Z"},
        ],
    )
    def test_database_refuses_what_may_never_be(self, job, changes):
        with pytest.raises(IntegrityError), transaction.atomic():
            Job.objects.filter(pk=job.pk).update(**changes)

    def test_loss_is_written_once_for_a_reason(self, running):
        for _ in range(2):
            lifecycle.record_loss(running, reason=Loss.Reason.CANCELED, usd=None)

        assert Loss.objects.count() == 1


class TestStates:
    def test_final_ones_have_no_way_out(self):
        assert set(states.FINAL) == {"completed", "failed", "canceled"}
        assert set(states.FINAL) | set(states.OPEN) == set(states.ALL)

    def test_each_move_leads_to_a_state(self):
        assert {to for onward in states.TRANSITIONS.values() for to in onward} <= set(states.ALL)
