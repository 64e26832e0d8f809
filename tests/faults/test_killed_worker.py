"""A worker killed anywhere: completed and charged once, or not charged, and never run twice.

The live worker stops by SIGKILL, at once. Each kill hits a job of fal (which gives a request id
to collect by) and one of OpenAI (which answers in the same call).
"""

import pytest

from accounts.models import ActivityEvent
from billing import ledger
from imageskill.dev.standins.faults import Fault
from jobs import states
from jobs.models import Job, Loss, StagedOutput, Usage
from jobs.running import sweeper
from tests.faults.conftest import (
    assert_books_are_right,
    end_waiting_statements,
    held_up,
    settle,
    wait_for,
    waiting_for_locks,
)

pytestmark = pytest.mark.live

FAL = {"prompt": "a lighthouse", "model": "fal.flux-dev"}
OPENAI = {
    "prompt": "a lighthouse",
    "model": "openai.gpt-image-2",
    "model_parameters": {"quality": "low", "size": "1024x1024"},
}


def submits(providers):
    return [
        one
        for one in providers.requests
        if one.method == "POST" and not one.path.startswith("/_control")
    ]


def jobs():
    return list(Job.objects.order_by("id"))


def assert_completed_and_charged_once(agent, providers, *, count=2):
    ended = jobs()
    assert len(ended) == count
    for job in ended:
        assert job.status == states.COMPLETED, (job.error_code, job.error_message)
        assert job.assets.count() == 1
        assert Usage.objects.filter(job=job).count() == 1
    assert len(submits(providers)) == count
    charged = sum(job.credits_captured for job in ended)
    assert ledger.balances(agent.organization.pk) == (40 - charged, 0, 0, 0)
    assert ActivityEvent.objects.filter(type="job.completed").count() == count
    assert_books_are_right()


def assert_unknown_and_held(agent, providers, *, count=2):
    stuck = jobs()
    assert len(stuck) == count
    for job in stuck:
        assert job.status == states.RUNNING
        assert job.is_outcome_unknown
    held = sum(job.credits_held for job in stuck)
    assert ledger.balances(agent.organization.pk) == (40 - held, 0, held, 0)
    assert len(submits(providers)) == count
    assert not ActivityEvent.objects.filter(type="job.completed").exists()
    assert_books_are_right()


@pytest.fixture
def create(site, api, agent):
    """Begin a job for each body."""

    def begin(*bodies):
        for body in bodies or (FAL, OPENAI):
            assert api.post("/v1/create", token=agent.token, json=body).status == 202

    return begin


class TestKilledWorker:
    def test_before_it_began(self, site, create, agent, providers):
        site.worker.stop()
        create()

        site.worker.start()

        settle(states.COMPLETED)
        assert_completed_and_charged_once(agent, providers)

    def test_before_the_call(self, site, create, agent, providers):
        create_begins = held_up("LOCK TABLE jobs_jobinput IN ACCESS EXCLUSIVE MODE")
        site.worker.stop()
        create()
        with create_begins:
            site.worker.start()
            wait_for(lambda: waiting_for_locks() == 2)
            site.worker.stop()
        assert {job.status for job in jobs()} == {states.RUNNING}

        site.worker.start()

        settle(states.COMPLETED)
        assert_completed_and_charged_once(agent, providers)

    def test_during_the_call(self, site, create, agent, providers):
        providers.faults.add(Fault(method="POST", delay_s=12, times=2))
        create()
        wait_for(lambda: len(submits(providers)) == 2)
        site.worker.stop()

        site.worker.start()

        settle()
        assert_unknown_and_held(agent, providers)

    def test_between_the_answer_and_its_mark(self, site, create, agent, providers):
        """fal's is a request id, OpenAI's the image, whose bytes no row knows of yet."""
        providers.faults.add(Fault(method="POST", delay_s=3, times=2))
        create()
        wait_for(lambda: all(job.call_began_at for job in jobs()))
        with held_up("SELECT 1 FROM jobs_job FOR UPDATE"):
            wait_for(lambda: waiting_for_locks() == 2)
            site.worker.stop()
            end_waiting_statements()
        assert [job.provider_request_id or None for job in jobs()] == [None, None]
        assert not StagedOutput.objects.exists()

        site.worker.start()

        settle()
        assert_unknown_and_held(agent, providers)

    def test_before_the_capture(self, site, create, agent, providers):
        providers.faults.add(Fault(method="POST", delay_s=1, times=2))
        create()
        with held_up(
            "SELECT 1 FROM billing_wallet WHERE organization_id = %s FOR UPDATE",
            agent.organization.pk,
        ):
            wait_for(lambda: waiting_for_locks() == 2)
            site.worker.stop()
        wait_for(lambda: not waiting_for_locks())
        assert {job.status for job in jobs()} == {states.STORING}

        site.worker.start()

        settle(states.COMPLETED)
        assert_completed_and_charged_once(agent, providers)

    def test_while_it_could_not_store(self, site, create, agent, providers, media_gone):
        with media_gone():
            create()
            wait_for(lambda: all(job.storage_failed_at for job in jobs()))
            site.worker.stop()
        assert ledger.balances(agent.organization.pk).held > 0
        Job.objects.update(pause_until=None)

        site.worker.start()

        settle(states.COMPLETED)
        assert_completed_and_charged_once(agent, providers)


class TestKilledWorkerOfAQueue:
    """What only a provider that gives a request id can survive."""

    def test_twice_while_the_provider_works(self, site, create, agent, providers):
        providers.fal.seconds = 6
        create(FAL)
        wait_for(lambda: jobs()[0].submitted_at)
        site.worker.stop()
        site.worker.start()
        wait_for(lambda: sweeper.sweep() and jobs()[0].redeliveries)
        site.worker.stop()

        site.worker.start()

        settle(states.COMPLETED)
        assert_completed_and_charged_once(agent, providers, count=1)

    def test_while_it_fetches_the_picture(self, site, create, agent, providers):
        providers.faults.add(Fault(path="/files/", delay_s=5))
        create(FAL)
        wait_for(lambda: any("/files/" in one.path for one in providers.requests))
        site.worker.stop()

        site.worker.start()

        settle(states.COMPLETED)
        assert_completed_and_charged_once(agent, providers, count=1)


class TestUnknownOutcome:
    def test_ends_at_its_deadline_without_a_charge(self, create, agent, providers):
        providers.faults.add(Fault(method="POST", cut="after"))
        create(FAL)
        settle()
        assert_unknown_and_held(agent, providers, count=1)
        Job.objects.update(deadline_at="2026-01-01T00:00Z")

        settle(states.FAILED)

        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)
        assert Loss.objects.get().reason == Loss.Reason.OUTCOME_UNKNOWN
        assert_books_are_right()

    def test_tells_the_waiting_caller_not_to_create_again(
        self, site, api, agent, providers, settings
    ):
        settings.CREATE_WAIT_S = 20
        providers.faults.add(Fault(method="POST", cut="after"))

        answer = api.post("/v1/create", token=agent.token, json=OPENAI)

        assert answer.code == "PROVIDER_OUTCOME_UNKNOWN"
        assert answer.exit_code == 7
        assert not answer.error["retryable"]
        assert "jobs show job_" in answer.error["recovery"]["suggested_command"]


class TestStorageFailure:
    def test_tells_the_waiting_caller_and_repairs_by_itself(
        self, site, api, agent, providers, settings, media_gone
    ):
        settings.CREATE_WAIT_S = 20
        with media_gone():
            answer = api.post("/v1/create", token=agent.token, json=FAL)

        assert (answer.status, answer.code) == (507, "ARTIFACT_STORAGE_WRITE_FAILED")
        assert answer.exit_code == 9
        assert not answer.error["retryable"]
        assert jobs()[0].public_id in answer.error["message"]
        Job.objects.update(pause_until=None)
        settle(states.COMPLETED)
        assert_completed_and_charged_once(agent, providers, count=1)

    def test_given_up_is_released_and_listed(self, site, create, agent, providers, media_gone):
        with media_gone():
            create(FAL)
            wait_for(lambda: jobs()[0].storage_failed_at)
            Job.objects.update(deadline_at="2026-01-01T00:00Z")
            settle(states.FAILED)

        assert jobs()[0].error_code == "ARTIFACT_STORAGE_WRITE_FAILED"
        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)
        assert Loss.objects.get().reason == Loss.Reason.NOT_STORED
        assert ActivityEvent.objects.filter(type="job.completed").count() == 1
        assert_books_are_right()
