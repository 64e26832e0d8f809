"""A job whose provider fails, from its submit to the ledger and the list of losses."""

from base64 import b64encode
from datetime import timedelta
from decimal import Decimal

import pytest

from billing import ledger
from imageskill.dev.standins.faults import Fault
from imageskill.dev.standins.providers import image
from imageskill.dev.standins.providers.fal import RunEnding
from imageskill.lib import clock
from jobs import states
from jobs.catalog import switches
from jobs.models import Job, Loss
from jobs.providers import breaker
from jobs.running import hold_checks, lifecycle, sweeper, worker

FAL, OPENAI, XAI = "fal.flux-dev", "openai.gpt-image-2", "xai.grok-imagine-image-quality"
PROMPT = "a lighthouse"

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture(autouse=True)
def _nothing_is_off():
    switches.clear_cache()
    yield
    switches.clear_cache()


@pytest.fixture
def create(providers, api, agent, settings):
    """Order an image; the worker has not begun yet."""
    settings.NEW_AGENT_CREDITS_PER_OPERATION = 40

    def order(model: str, prompt: str = PROMPT, **more: object) -> Job:
        body = {"prompt": prompt, "model": model} | more
        answer = api.post("/v1/create", token=agent.token, json=body)
        return Job.objects.get(public_id=answer.data["job_id"])

    return order


@pytest.fixture
def untouched(agent):
    """Return whether the agent's credits are as they were, and the books clean."""
    before = ledger.balances(agent.organization.pk)

    def is_so() -> bool:
        assert not list(hold_checks.problems())
        return ledger.balances(agent.organization.pk) == before

    return is_so


def losses(job: Job) -> dict[str, Decimal | None]:
    return dict(Loss.objects.filter(job=job).values_list("reason", "usd"))


def ended(job: Job) -> tuple[str, str, str]:
    job.refresh_from_db()
    return job.status, job.error_code, job.error_class


class TestFailedRuns:
    @pytest.mark.parametrize(
        ("ending", "error_code", "failure"),
        [
            (RunEnding(500, {"detail": "Internal Server Error"}), "PROVIDER_FAILURE", "broken_run"),
            (RunEnding(422, {"detail": [{"type": "missing"}]}), "PROVIDER_FAILURE", "permanent"),
            (
                RunEnding(422, {"detail": [{"type": "content_policy_violation"}]}),
                "PROVIDER_POLICY_DENIED",
                "policy",
            ),
        ],
    )
    def test_what_fal_failed_at_costs_nobody(
        self, create, drain, providers, untouched, ending, error_code, failure
    ):
        providers.fal.endings.append(ending)
        job = create(FAL)

        drain()

        assert ended(job) == (states.FAILED, error_code, failure)
        assert untouched()
        assert losses(job) == {}

    def test_a_picture_that_fal_blackened_is_paid_by_the_house(
        self, create, drain, providers, untouched
    ):
        providers.fal.endings.append(RunEnding(is_flagged=True))
        job = create(FAL)

        drain()

        assert ended(job) == (states.FAILED, "PROVIDER_POLICY_DENIED", "policy")
        assert untouched()
        assert losses(job) == {Loss.Reason.BILLED_REFUSAL: job.planned_usd}

    @pytest.mark.parametrize("images", [[], 5, [{"url": "https://elsewhere.example/a.png"}]])
    def test_so_is_a_result_that_can_not_be_used(self, create, drain, providers, untouched, images):
        result = {"images": images, "has_nsfw_concepts": [False]}
        providers.faults.add(
            Fault(method="GET", path=r"/requests/[^/]+$", status=200, body=result, times=None)
        )
        job = create(FAL)

        drain()

        assert ended(job) == (states.FAILED, "PROVIDER_FAILURE", "broken_run")
        assert untouched()
        assert losses(job) == {Loss.Reason.BROKEN_RUN: job.planned_usd}

    def test_so_is_what_xai_blocked_and_billed(self, create, drain, untouched):
        job = create(XAI, "[blocked]")

        drain()

        assert ended(job) == (states.FAILED, "PROVIDER_POLICY_DENIED", "policy")
        assert untouched()
        assert set(losses(job)) == {Loss.Reason.BILLED_REFUSAL}

    def test_so_is_an_output_that_is_no_picture(self, create, drain, untouched, monkeypatch):
        def undecodable(_file):
            raise worker.decoding.UndecodableImage("The bytes are nothing.")

        monkeypatch.setattr("jobs.images.decoding.inspect", undecodable)
        job = create(FAL)

        drain()

        assert ended(job) == (states.FAILED, "PROVIDER_FAILURE", "")
        assert untouched()
        assert losses(job) == {Loss.Reason.UNDECODABLE: job.planned_usd}

    def test_usage_above_the_hold_is_paid_by_the_house_to_the_cent(self, create, drain, providers):
        encoded = b64encode(image.render(words=PROMPT, size=(64, 64))).decode()
        usage = {"input_tokens": 10, "output_tokens": 50_000, "total_tokens": 50_010}
        body = {"created": 1, "data": [{"b64_json": encoded}], "usage": usage}
        providers.faults.add(Fault(path="/generations", status=200, body=body))
        job = create(OPENAI, accept_unknown_cost=True)

        drain()

        job.refresh_from_db()
        assert (job.status, job.credits_captured) == (states.COMPLETED, job.credits_held)
        assert losses(job) == {Loss.Reason.ABOVE_HOLD: job.reported_usd - job.planned_usd}
        assert not list(hold_checks.problems())


class TestRefusedCalls:
    def test_who_asked_learns_when_to_come_again(self, create, drain, api, agent, settings):
        settings.BREAKER_FAILURES, settings.BREAKER_PAUSE_S = 1, 40
        job = create(FAL, idempotency_key="once")
        breaker.record_failure(FAL)

        drain()

        assert ended(job)[1] == "PROVIDER_UNAVAILABLE"
        body = {"prompt": PROMPT, "model": FAL, "idempotency_key": "once"}
        answer = api.post("/v1/create", token=agent.token, json=body)
        assert (answer.status, answer.code) == (503, "PROVIDER_UNAVAILABLE")
        assert 30 <= answer.error["recovery"]["retry_after_seconds"] <= 40
        assert 30 <= int(answer.headers["retry-after"]) <= 40

    @pytest.mark.parametrize(("kind", "name"), [("model", FAL), ("provider", "fal")])
    def test_what_staff_switched_off_meanwhile_is_not_called(
        self, create, drain, providers, untouched, kind, name
    ):
        job = create(FAL)
        switches.set_enabled(kind=kind, name=name, is_on=False, user=None, reason="it misbehaves")
        switches.clear_cache()

        drain()

        assert ended(job) == (states.FAILED, "PROVIDER_UNAVAILABLE", "unavailable")
        assert not providers.fal.runs
        assert untouched()


class TestCancellation:
    def test_a_run_under_way_is_stopped_at_fal(self, create, drain, providers, untouched):
        providers.fal.seconds = 60
        job = create(FAL)
        lifecycle.start(job.public_id, lease="mine")
        submission = worker.calls.submit("fal", worker.provider_requests.build(job))
        lifecycle.record_call(job)
        lifecycle.record_submission(job, submission)

        assert lifecycle.cancel(job, actor="test")
        drain()

        assert providers.fal.runs[submission.request_id].is_canceled
        assert untouched()
        assert losses(job) == {}

    def test_what_can_not_be_stopped_is_paid_by_the_house(self, create, drain, untouched):
        job = create(FAL)
        lifecycle.start(job.public_id, lease="mine")
        lifecycle.record_call(job)
        request = worker.provider_requests.build(job)
        lifecycle.record_submission(job, worker.calls.submit("fal", request))

        assert lifecycle.cancel(job, actor="test")
        drain()

        assert losses(job) == {Loss.Reason.CANCELED: job.planned_usd}
        assert untouched()

    def test_outputs_that_come_after_it_are_thrown_away(self, create, untouched, monkeypatch):
        job = create(OPENAI, accept_unknown_cost=True)
        inspect = worker.decoding.inspect

        def canceled_meanwhile(file):
            Job.objects.filter(pk=job.pk).update(outcome_unknown_at=None)
            assert lifecycle.cancel(Job.objects.get(pk=job.pk), actor="test")
            return inspect(file)

        monkeypatch.setattr("jobs.images.decoding.inspect", canceled_meanwhile)

        worker.run(job.public_id)

        assert ended(job)[0] == states.CANCELED
        assert not job.assets.exists()
        assert worker.storage.list_staged() == {}
        assert set(losses(job)) == {Loss.Reason.CANCELED}
        assert untouched()


class TestDeadlines:
    def test_a_run_past_its_deadline_is_stopped_and_counts_once(
        self, create, drain, providers, untouched
    ):
        providers.fal.seconds = 60
        job = create(FAL)
        lifecycle.start(job.public_id, lease="lost")
        submission = worker.calls.submit("fal", worker.provider_requests.build(job))
        lifecycle.record_call(job)
        lifecycle.record_submission(job, submission)
        providers.fal.runs[submission.request_id].ready_at = 0
        Job.objects.filter(pk=job.pk).update(deadline_at=clock.now() - timedelta(hours=1))

        sweeper.sweep()
        drain()

        assert ended(job) == (states.FAILED, "TIMEOUT", "timeout")
        assert losses(job) == {Loss.Reason.TOO_LATE: job.planned_usd}
        assert untouched()
