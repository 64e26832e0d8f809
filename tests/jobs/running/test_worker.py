"""A job whose provider fails, from its submit to the ledger and the list of losses."""

from base64 import b64encode
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from PIL import Image

from billing import ledger, pricing
from billing.ledger.checks import ledger_problems
from imageskill.dev.standins.faults import Fault
from imageskill.dev.standins.providers import image
from imageskill.dev.standins.providers.fal import RunEnding
from imageskill.lib import clock
from jobs import states
from jobs.catalog import switches
from jobs.images import decoding
from jobs.models import Job, Loss
from jobs.providers import breaker, concurrency
from jobs.running import hold_checks, lifecycle, sweeper, worker
from tests.jobs.image_kinds import GOOD
from tests.jobs.sample_images import exif, noise, upload_of

BATCH = "fal.kling-image-o3-text-to-image"
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
        def undecodable(*_files, **_options):
            raise decoding.UndecodableImage("The bytes are nothing.")

        monkeypatch.setattr("jobs.images.decoding.sanitize", undecodable)
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


class TestPartsOfABatch:
    """Three are asked for, and not all of them come: the good ones are delivered and charged."""

    @pytest.fixture
    def three(self, create, drain, agent):
        quota = agent.agent
        quota.grants = [*quota.grants, "output.batch"]
        quota.save()

        def order(model: str, **more: object) -> Job:
            job = create(model, output_count=3, **more)
            drain()
            job.refresh_from_db()
            assert not list(hold_checks.problems())
            assert list(ledger_problems()) == []
            return job

        return order

    def shown(self, api, agent, job):
        return api.get(f"/v1/jobs/{job.public_id}", token=agent.token)

    @pytest.mark.parametrize(
        ("gaps", "missing", "lost"),
        [
            (("", "error", ""), ["not_made"], {}),
            (("", "absent", ""), ["not_made"], {}),
            (("", "flagged", ""), ["policy"], {Loss.Reason.BILLED_REFUSAL}),
            (("", "", "broken"), ["broken"], {Loss.Reason.UNDECODABLE}),
        ],
    )
    def test_of_fal_two_are_paid_like_two(self, three, providers, api, agent, gaps, missing, lost):
        before = ledger.balances(agent.organization.pk)
        providers.fal.endings.append(RunEnding(gaps=gaps))

        job = three(BATCH)

        assert (job.status, job.missing_outputs) == (states.COMPLETED, missing)
        assert job.assets.count() == 2
        two = pricing.debit(job.planned_usd * 2 / 3, margin=Decimal("0.40"))
        assert two < job.credits_held
        assert (job.credits_captured, job.usage.credits) == (two, two)
        assert ledger.balances(agent.organization.pk).preview == before.preview - two
        assert losses(job) == dict.fromkeys(lost, job.planned_usd / 3)
        [warning] = self.shown(api, agent, job).envelope["warnings"]
        assert warning.startswith("2 of 3 images could be delivered")

    def test_what_opens_as_no_image_is_left_out(self, three, monkeypatch, api, agent):
        sanitize, seen = decoding.sanitize, []

        def second_is_broken(*files, **options):
            seen.append(files)
            if len(seen) == 2:
                raise decoding.UndecodableImage("The bytes are nothing.")
            return sanitize(*files, **options)

        monkeypatch.setattr("jobs.images.decoding.sanitize", second_is_broken)

        job = three(BATCH)

        assert (job.assets.count(), job.missing_outputs) == (2, ["broken"])
        assert losses(job) == {Loss.Reason.UNDECODABLE: job.planned_usd / 3}

    def test_of_xai_a_flagged_one_is_the_houses_cost(self, three, providers):
        providers.xai.gaps.append(("flagged", "", ""))

        job = three(XAI)

        assert (job.assets.count(), job.missing_outputs) == (2, ["policy"])
        assert job.credits_captured == pricing.debit(
            job.planned_usd * 2 / 3, margin=Decimal("0.40")
        )
        assert job.usage.provider_usd == job.reported_usd * 2 / 3
        assert losses(job) == {Loss.Reason.BILLED_REFUSAL: job.reported_usd / 3}

    @pytest.mark.parametrize(("gap", "billed"), [("error", 2), ("broken", 3)])
    def test_by_usage_the_delivered_share_of_it_is_charged(self, three, providers, gap, billed):
        providers.openai.gaps.append(("", gap, ""))

        job = three(
            OPENAI, accept_unknown_cost=True, model_parameters={"quality": "low", "size": "auto"}
        )

        assert (job.status, job.assets.count()) == (states.COMPLETED, 2)
        assert job.plan["cost"]["is_usage_priced"]
        share = job.reported_usd * 2 / billed
        most = pricing.debit(job.planned_usd * 2 / 3, margin=Decimal("0.40"))
        assert job.credits_captured == min(most, pricing.debit(share, margin=Decimal("0.40")))

    def test_none_good_costs_nothing(self, three, providers, untouched):
        providers.fal.endings.append(RunEnding(gaps=("error", "absent", "error")))

        job = three(BATCH)

        assert ended(job) == (states.FAILED, "PROVIDER_FAILURE", "broken_run")
        assert untouched()

    def test_more_than_asked_is_no_gift(self, three, providers):
        job = three(BATCH)

        assert (job.assets.count(), job.missing_outputs) == (3, [])
        assert job.credits_captured == job.credits_held


class TestRefusals:
    @pytest.mark.parametrize(
        ("place", "kind", "field"),
        [
            ("image_url", "image_load_error", "input_asset_id"),
            ("mask_url", "value_error", "mask_asset_id"),
            ("image_size", "one_of", "aspect_ratio"),
            ("guidance_scale", "less_than_equal", "model_parameters"),
        ],
    )
    def test_name_what_was_not_taken_and_are_not_for_again(
        self, create, drain, providers, api, agent, place, kind, field
    ):
        entry = {"loc": ["body", place], "msg": "SECRET", "type": kind}
        providers.fal.endings.append(RunEnding(422, {"detail": [entry]}))
        create(FAL, idempotency_key="once")

        drain()

        body = {"prompt": PROMPT, "model": FAL, "idempotency_key": "once"}
        answer = api.post("/v1/create", token=agent.token, json=body)
        assert (answer.status, answer.code) == (502, "PROVIDER_FAILURE")
        assert answer.error["retryable"] is False
        assert [one["field"] for one in answer.error["details"]] == [field]
        assert answer.error["details"][0]["message"] in answer.error["message"]
        assert "SECRET" not in str(answer.envelope)


class TestOutputs:
    @pytest.mark.parametrize("model", [FAL, XAI])
    def test_hold_nothing_that_their_maker_wrote_into_them(self, create, drain, client, model):
        job = create(model)

        drain()

        asset = job.assets.get()
        served = client.get(f"/a/{asset.public_id}.{asset.extension}")
        content = b"".join(served.streaming_content)
        made = image.render(words=PROMPT, size=(asset.width, asset.height), kind="jpeg")
        assert PROMPT.encode() in made
        assert PROMPT.encode() not in content
        assert asset.content_length == len(content)


class TestInputs:
    """What a provider gets: upright, of 8 bits, in a type that it knows."""

    @pytest.fixture
    def edited(self, providers, api, agent, drain, settings):
        settings.NEW_AGENT_CREDITS_PER_OPERATION = 40

        def upload(data: bytes, mime_type: str) -> str:
            body = upload_of(data, mime_type=mime_type)
            return api.post("/v1/upload", token=agent.token, json=body).data["asset"]["asset_id"]

        def edit(data: bytes, mime_type: str, *, mask: bytes | None = None) -> list[Image.Image]:
            body = {
                "input_asset_id": upload(data, mime_type),
                "prompt": PROMPT,
                "model": "openai.gpt-image-2-edit",
                "model_parameters": {"quality": "low", "size": "1024x1024"},
                "accept_unknown_cost": True,
            }
            if mask is not None:
                body["mask_asset_id"] = upload(mask, "image/png")
            answer = api.post("/v1/edit", token=agent.token, json=body)
            job_id = answer.data["job_id"]
            drain()
            assert ended(Job.objects.get(public_id=job_id))[0] == states.COMPLETED
            [request] = [one for one in providers.requests if one.path.endswith("/edits")]
            files = [part for part in request.multipart if part.filename is not None]
            return [Image.open(BytesIO(part.data)) for part in files]

        return edit

    def test_a_turned_photo_leaves_upright_and_a_mask_of_its_shown_size_fits(self, edited):
        photo = noise("JPEG", size=(400, 320), exif=exif(orientation=6))
        mask = BytesIO()
        Image.new("RGBA", (320, 400), (0, 0, 0, 0)).save(mask, "PNG")

        sent = edited(photo, "image/jpeg", mask=mask.getvalue())

        assert [(one.size, one.getexif().get(0x0112, 1)) for one in sent] == [((320, 400), 1)] * 2

    @pytest.mark.parametrize(
        "name", ["gif animation", "avif", "jpeg cmyk", "png 16 bit gray", "jpeg mpo"]
    )
    def test_other_kinds_leave_as_one_image_that_it_takes(self, edited, name):
        mime_type, make, size = GOOD[name]

        [sent] = edited(make(), mime_type)

        assert (sent.format in {"PNG", "JPEG"}, sent.mode, sent.size) == (True, "RGB", size)


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


class TestWaitingForRoom:
    @pytest.fixture
    def waiting(self, create, drain, settings):
        """A queued job whose message was taken while another had the only place."""
        settings.FAL_CONCURRENCY = 1
        until = clock.now() + timedelta(minutes=1)
        assert concurrency.acquire("fal", "job_of_somebody_else", until=until)
        job = create(FAL)
        drain()
        return Job.objects.get(pk=job.pk)

    def test_it_stays_queued_and_runs_when_there_is_room(self, waiting, drain, providers):
        assert (waiting.status, waiting.attempts) == (states.QUEUED, 0)
        assert not providers.fal.runs

        concurrency.release("fal", "job_of_somebody_else")
        drain()

        assert ended(waiting)[0] == states.COMPLETED
        assert concurrency.in_use("fal") == 0

    def test_one_that_is_canceled_gives_its_turn_to_the_next(self, waiting, create, drain):
        job = create(FAL)
        drain()
        assert lifecycle.cancel(waiting, actor="test")

        concurrency.release("fal", "job_of_somebody_else")
        drain()

        assert ended(job)[0] == states.COMPLETED
        assert concurrency.in_use("fal") == 0

    def test_one_that_fails_before_its_call_gives_its_place_back(self, create, drain, settings):
        settings.FAL_CONCURRENCY = 1
        job = create(FAL)
        settings.FAL_KEY = settings.PROVIDERS_ARE_STANDINS = ""

        drain()

        assert ended(job)[0] == states.FAILED
        assert concurrency.in_use("fal") == 0


class TestCancellation:
    def test_a_run_under_way_is_stopped_at_fal(self, create, drain, providers, untouched):
        providers.fal.seconds = 60
        job = create(FAL)
        lifecycle.start(job, lease="mine")
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
        lifecycle.start(job, lease="mine")
        lifecycle.record_call(job)
        request = worker.provider_requests.build(job)
        lifecycle.record_submission(job, worker.calls.submit("fal", request))

        assert lifecycle.cancel(job, actor="test")
        drain()

        assert losses(job) == {Loss.Reason.CANCELED: job.planned_usd}
        assert untouched()

    def test_outputs_that_come_after_it_are_thrown_away(self, create, untouched, monkeypatch):
        job = create(OPENAI, accept_unknown_cost=True)
        sanitize = decoding.sanitize

        def canceled_meanwhile(*files, **options):
            Job.objects.filter(pk=job.pk).update(outcome_unknown_at=None)
            assert lifecycle.cancel(Job.objects.get(pk=job.pk), actor="test")
            return sanitize(*files, **options)

        monkeypatch.setattr("jobs.images.decoding.sanitize", canceled_meanwhile)

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
        lifecycle.start(job, lease="lost")
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
