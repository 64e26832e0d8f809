"""Creating images over the API: the plan, the run, the image and the ledger."""

import shlex
import threading
import time

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import ActivityEvent
from billing import ledger
from billing.ledger import checks
from imageskill.cli.grammar import reading, requests
from imageskill.lib.errors import Timeout
from jobs.api.bodies import CreateBody
from jobs.assets.storage import ArtifactStorageWriteFailed
from jobs.models import Job, Prompt
from jobs.planning.request import GenerationRequest, Reference
from jobs.providers.failures import ProviderFailure, ProviderPolicyDenied, ProviderUnavailable
from jobs.running import hold_checks, lifecycle
from jobs.running import worker as running
from jobs.running.lifecycle import JobFailure
from jobs.submission import preparation, repeating, submit, waiting

FIFTY_CREDITS = {
    "model": "fal.gemini-3-pro-image-preview",
    "model_parameters": {"resolution": "4K"},
}
PROMPT = "A compact field camera on a stainless workbench"


def fail(answer, error=ProviderFailure):
    """End the job of an answer as a worker does when its provider fails."""
    job = Job.objects.get(public_id=answer.data["job_id"])
    assert lifecycle.fail(job, JobFailure(error=error))


@pytest.fixture
def ask():
    return {"prompt": PROMPT, "model": "local.sketch"}


@pytest.fixture
def create(transactional_db, api, agent, ask):
    """Ask for an image; terms may be changed."""
    return lambda token=None, **changes: api.post(
        "/v1/create", token=token or agent.token, json=ask | changes
    )


class TestCreate:
    def test_answers_at_once_while_nobody_works(self, create):
        answer = create()

        assert answer.status == 202
        assert answer.data["job"]["status"] == "queued"
        assert answer.data["recovery"]["suggested_command"].startswith("image-skill jobs wait job_")
        assert answer.envelope["warnings"]

    def test_completes_and_is_charged(self, create, api, agent, drain):
        job_id = create().data["job_id"]

        drain()

        job = api.get(f"/v1/jobs/{job_id}", token=agent.token).data
        assert job["status"] == job["state"] == "completed"
        assert job["cost"]["credit_pricing"]["credits_required"] == 1
        assert ledger.balances(agent.organization.pk) == (39, 0, 0, 0)
        assert not list(hold_checks.problems())

    def test_says_what_to_do_next(self, create, api, agent, drain):
        queued = create(idempotency_key="k").data
        drain()
        done = create(idempotency_key="k").data

        job_id, asset_id = done["job_id"], done["asset_ids"][0]
        assert queued["next_actions"]["wait_job"] == f"image-skill jobs wait {job_id} --json"
        actions = done["next_actions"]
        assert actions["wait_job"] is None
        assert actions["inspect_job"] == f"image-skill jobs show {job_id} --json"
        assert actions["iterate_edit"].startswith(f"image-skill edit --input {asset_id} ")
        assert (actions["self_fund"]["recommended"], done["self_fund_next_command"]) == (
            False,
            None,
        )
        events = api.get(f"/v1/activity/{done['trace_id']}", token=agent.token).data
        for shown in (
            api.get(f"/v1/jobs/{job_id}", token=agent.token).data,
            api.get(f"/v1/assets/{asset_id}", token=agent.token).data,
            events,
        ):
            assert shown["next_actions"]["inspect_asset"] == actions["inspect_asset"]
            assert shown["next_actions"]["self_fund"]["first_safe_command"]

    def test_recommends_more_credits_where_few_are_left(self, create, agent):
        with transaction.atomic():
            ledger.hold(
                organization_id=agent.organization.pk, job_id="job_1", credits=25, actor="tests"
            )

        plan = create(dry_run=True).data

        assert plan["next_actions"]["self_fund"]["urgency"] == "near_wall"
        assert plan["self_fund_next_command"] == plan["next_actions"]["self_fund"]["quote_command"]

    def test_waits_for_a_worker_and_answers_with_the_image(self, create, drain, settings, agent):
        def work():
            until = time.monotonic() + 20
            try:
                while "jobs.run" not in drain() and time.monotonic() < until:
                    time.sleep(0.1)
            finally:
                connection.close()

        settings.CREATE_WAIT_S = 20
        worker = threading.Thread(target=work)
        worker.start()

        answer = create(output_count=2)

        worker.join()
        assert answer.status == 200
        assert answer.data["job"]["status"] == "completed"
        assert len(answer.data["assets"]) == 2
        asset = answer.data["assets"][0]
        assert asset["url"] == asset["path"]
        assert asset["url"].endswith(f"/a/{asset['asset_id']}.png")
        assert (asset["width"], asset["height"]) == (1024, 1024)
        assert answer.data["quota"] == {
            "consumed_credits": 2,
            "remaining_credits": 38,
            "payment_backed_remaining_credits": 0,
        }
        assert answer.data["usage_event_id"].startswith("usage_")
        assert answer.data["safety"] == {"status": "allowed"}

    def test_tells_of_it_once(self, create, agent, drain):
        job_id = create().data["job_id"]
        drain()

        events = ActivityEvent.objects.filter(references__contains=[job_id])

        assert sorted(event.type for event in events) == [
            "asset.created",
            "job.completed",
            "usage.credit_consumed",
        ]
        [completed] = [event for event in events if event.type == "job.completed"]
        assert completed.status == "completed"
        assert set(completed.links) == {"job_id", "asset_ids", "feedback_id", "usage_event_id"}
        assert completed.links["feedback_id"] is None

    def test_keeps_the_prompt_out_of_everything_but_its_row(self, create, api, agent, drain):
        answer = create()
        drain()

        shown = api.get(f"/v1/jobs/{answer.data['job_id']}", token=agent.token)

        assert Prompt.objects.get().text == PROMPT
        for text in (answer.envelope, shown.envelope, Job.objects.values().get()):
            assert PROMPT not in str(text)

    def test_choosing_no_model_names_the_choice(self, create):
        answer = create(model=None)

        selection = answer.data["request"]["selection"]
        assert selection["policy"] == "hosted_default_create_v1"
        assert selection["capability"]["id"] == "is.image.generate.local-sketch.v1"
        assert answer.data["capability"]["id"] == "is.image.generate.preview.v1"

    def test_anonymous_is_refused(self, api, db, ask):
        assert api.post("/v1/create", json=ask).code == "AUTH_REQUIRED"

    @pytest.mark.parametrize(
        "raw", [b"", b"{", b"[]", b"{}", b'{"nonsense": 1}', b'{"dry_run": "true"}']
    )
    def test_anonymous_is_refused_for_that_whatever_the_body(self, api, db, raw):
        for path in ("/v1/create", "/v1/edit"):
            answer = api.post(path, raw=raw)
            assert (answer.status, answer.code) == (401, "AUTH_REQUIRED")

    def test_without_the_grant_is_denied_before_the_body_is_read(self, create, agent):
        agent.agent.grants.remove("image.create")
        agent.agent.save()

        assert create(nonsense=True).code == "CAPABILITY_DENIED"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"nonsense": 1}, "INVALID_ARGUMENTS"),
            ({"prompt": ""}, "INVALID_ARGUMENTS"),
            ({"prompt": "x" * 32_001}, "INVALID_ARGUMENTS"),
            ({"output_count": True}, "INVALID_ARGUMENTS"),
            ({"output_count": "1"}, "INVALID_ARGUMENTS"),
            ({"max_usd": "1"}, "INVALID_ARGUMENTS"),
            ({"max_usd": True}, "INVALID_ARGUMENTS"),
            ({"max_usd": -1}, "INVALID_ARGUMENTS"),
            ({"idempotency_key": ""}, "INVALID_ARGUMENTS"),
            ({"model": "nobody.knows"}, "INVALID_ARGUMENTS"),
            ({"model_parameters": {"nonsense": 1}}, "MODEL_PARAMETER_INVALID"),
            ({"max_estimated_usd_per_image": 0.001}, "BUDGET_EXCEEDED"),
            ({"max_usd": 0.009, "output_count": 2}, "BUDGET_EXCEEDED"),
        ],
    )
    def test_refuses_and_writes_nothing(self, create, agent, changes, code):
        assert create(**changes).code == code

        assert not Job.objects.exists()
        assert ledger.balances(agent.organization.pk).preview == 40

    def test_too_few_credits_leave_no_trace(self, create, agent, settings):
        settings.DAILY_JOBS_PREVIEW = 100
        with transaction.atomic():
            ledger.hold(
                organization_id=agent.organization.pk, job_id="job_other", credits=40, actor="test"
            )

        answer = create()

        assert (answer.status, answer.code) == (402, "QUOTA_EXCEEDED")
        recovery = answer.error["recovery"]
        assert "credits quote" in recovery["suggested_command"]
        assert recovery["top_up"]["recommended"]
        assert not Job.objects.exists()

    def test_enough_for_less_than_this_is_too_few_too(self, create, providers):
        answer = create(**FIFTY_CREDITS)

        top_up = answer.error["recovery"]["top_up"]
        assert answer.code == "QUOTA_EXCEEDED"
        assert (top_up["recommended"], top_up["urgency"]) == (True, "blocked")
        assert top_up["recommendation_reason"] == "insufficient_credits"

    def test_a_cap_says_when_it_resets_and_a_dry_run_that_it_refuses(self, create, agent):
        agent.agent.cap_credits_per_day = 3
        agent.agent.save()

        answer = create(output_count=4)
        plan = create(output_count=4, dry_run=True)

        assert answer.code == "CAPABILITY_DENIED"
        assert "It resets at " in answer.error["message"]
        assert "T00:00:00.000Z" in answer.error["message"]
        assert answer.error["message"] in plan.envelope["warnings"][-1]

    def test_a_job_canceled_meanwhile_is_no_malformed_request(self, create, api, agent):
        job_id = create(idempotency_key="once").data["job_id"]
        api.post(f"/v1/jobs/{job_id}/cancel", token=agent.token)

        answer = create(idempotency_key="once")

        assert (answer.status, answer.exit_code) == (200, 0)
        assert answer.data["job"]["status"] == "canceled"
        assert answer.data["assets"] == []
        assert answer.data["quota"]["consumed_credits"] == 0
        assert "was canceled" in answer.envelope["warnings"][-1]

    def test_the_model_named_by_nobody_stays_unnamed_in_jobs(self, create, api, agent):
        job_id = create(model=None).data["job_id"]
        shown = api.get(f"/v1/jobs/{job_id}", token=agent.token).data
        pricing = shown["cost"]["credit_pricing"]
        assert pricing["pricing_source"] == "the provider's list price"

    def test_third_job_of_a_day_is_refused(self, create):
        create()
        create()

        answer = create()

        assert answer.code == "DAILY_JOB_LIMIT"
        assert Job.objects.count() == 2


class TestDryRun:
    def test_plans_without_a_trace(self, create, agent):
        answer = create(dry_run=True, output_count=3, model_parameters={"seed": 7})

        assert answer.status == 200
        assert answer.data["job_id"] is None
        assert answer.data["assets"] == []
        assert answer.data["cost"]["credit_pricing"]["credits_required"] == 3
        assert answer.data["quota"]["consumed_credits"] == 0
        assert answer.data["accepted_model_parameters"]["seed"] == 7
        assert not Job.objects.exists()
        assert not ActivityEvent.objects.exclude(type="credits.payment_backed_granted").exists()

    def test_needs_no_token(self, api, db, ask):
        answer = api.post("/v1/create", json=ask | {"dry_run": True})

        assert answer.data["quota"]["remaining_credits"] is None

    def test_checks_a_token_that_is_there(self, api, db, ask):
        answer = api.post("/v1/create", json=ask | {"dry_run": True}, token="isk_r_wrong")

        assert answer.code == "AUTH_REQUIRED"

    def test_needs_a_token_to_name_pictures(self, api, db, ask):
        references = [{"asset_id": "image_x", "role": "reference_image"}]

        answer = api.post("/v1/create", json=ask | {"dry_run": True, "references": references})

        assert answer.code == "AUTH_REQUIRED"


class TestIdempotencyKey:
    def test_replays_the_first_job(self, create, drain, agent):
        first = create(idempotency_key="once")
        drain()

        again = create(idempotency_key="once")

        assert again.status == 200
        assert again.data["job_id"] == first.data["job_id"]
        assert again.data["assets"]
        assert ledger.balances(agent.organization.pk).preview == 39

    def test_calls_without_one_are_calls_of_their_own(self, create):
        assert create().data["job_id"] != create().data["job_id"]

    @pytest.mark.parametrize("error", [ProviderPolicyDenied, ArtifactStorageWriteFailed])
    def test_replays_a_failure_that_would_repeat(self, create, error):
        first = create(idempotency_key="once")
        fail(first, error)

        again = create(idempotency_key="once")

        assert again.code == error.code
        assert first.data["job_id"] in again.error["message"]
        command = again.error["recovery"]["suggested_command"]
        assert command == f"image-skill jobs show {first.data['job_id']} --json"
        assert Job.objects.count() == 1

    @pytest.mark.parametrize("error", [ProviderFailure, ProviderUnavailable, Timeout])
    def test_starts_anew_after_a_failure_that_may_not_repeat(self, create, drain, agent, error):
        first = create(idempotency_key="once")
        fail(first, error)

        second = create(idempotency_key="once")
        drain()
        third = create(idempotency_key="once")

        assert second.status == 202
        assert second.data["job_id"] == third.data["job_id"] != first.data["job_id"]
        assert third.data["job"]["status"] == "completed"
        assert ledger.balances(agent.organization.pk) == (39, 0, 0, 0)
        assert not list(hold_checks.problems())
        assert not list(checks.ledger_problems())

    def test_starts_anew_as_often_as_it_fails(self, create):
        job_ids = set()
        for _ in range(2):
            answer = create(idempotency_key="once")
            job_ids.add(answer.data["job_id"])
            fail(answer)

        assert len(job_ids | {create(idempotency_key="once").data["job_id"]}) == 3

    def test_starts_nothing_anew_that_was_charged(self, create):
        fail(create(idempotency_key="once"))
        job = Job.objects.get()
        assert submit.can_start_anew(job)

        job.credits_captured = 1

        assert not submit.can_start_anew(job)

    def test_replays_a_canceled_job(self, create, api, agent):
        first = create(idempotency_key="once")
        api.post(f"/v1/jobs/{first.data['job_id']}/cancel", token=agent.token)

        again = create(idempotency_key="once").data
        assert (again["job_id"], again["job"]["status"]) == (first.data["job_id"], "canceled")
        assert Job.objects.count() == 1

    def test_conflicts_after_a_failure_too(self, create):
        fail(create(idempotency_key="once"))

        assert create(idempotency_key="once", output_count=2).code == "IDEMPOTENCY_CONFLICT"
        assert Job.objects.get().idempotency_key == "once"

    def test_a_repeat_that_is_refused_leaves_the_key_with_the_failed_job(self, create, settings):
        fail(create(idempotency_key="once"))
        settings.DAILY_JOBS_PREVIEW = 0

        refused = create(idempotency_key="once")

        assert refused.code == "DAILY_JOB_LIMIT"
        assert refused.error["recovery"]["idempotency_key"] == "once"
        assert Job.objects.get().idempotency_key == "once"

    def test_starts_anew_only_the_job_that_it_stands_for(self, create, stranger):
        fail(create(token=stranger.token, idempotency_key="once"))
        fail(create(idempotency_key="once"))

        create(idempotency_key="once")

        assert Job.objects.filter(idempotency_key="once").count() == 2

    def test_of_two_repeats_at_once_the_second_writes_nothing(self, create, ask):
        fail(create(idempotency_key="once"))
        failed = Job.objects.get()
        terms = CreateBody(**ask).to_request("create")
        caller = failed.agent
        prepared = preparation.prepare(caller, terms, is_dry_run=False)
        first = submit.submit(caller, prepared, idempotency_key="once", replaces=failed)

        with CaptureQueriesContext(connection) as statements:
            second = submit.submit(caller, prepared, idempotency_key="once", replaces=failed)

        assert first == second != failed
        assert not [one for one in statements if one["sql"].startswith("INSERT")]

    def test_is_taken_from_the_header_too(self, create, api, agent, ask):
        first = create(idempotency_key="once")

        again = api.post("/v1/create", token=agent.token, json=ask, **{"Idempotency-Key": "once"})

        assert again.data["job_id"] == first.data["job_id"]

    def test_other_terms_conflict_and_get_a_fresh_key(self, create):
        create(idempotency_key="once")

        answer = create(idempotency_key="once", output_count=2)

        assert (answer.status, answer.code) == (409, "IDEMPOTENCY_CONFLICT")
        fresh = answer.error["recovery"]["idempotency_key"]
        command = answer.error["recovery"]["suggested_command"]
        assert reading.parse(shlex.split(command)[1:]).get("idempotency-key") == fresh
        assert "--prompt PROMPT" in command
        assert PROMPT not in str(answer.envelope)

    def test_belongs_to_one_agent(self, create, stranger):
        first = create(idempotency_key="once")

        other = create(token=stranger.token, idempotency_key="once")

        assert other.data["job_id"] != first.data["job_id"]


class TestRetryableFailure:
    @pytest.fixture
    def failed(self, create, monkeypatch):
        """Ask, and have the job fail while the call waits for it."""

        def wait(job, *, timeout_s):
            assert lifecycle.fail(job, JobFailure(error=ProviderFailure))
            return True

        def ask(**terms):
            with monkeypatch.context() as patch:
                patch.setattr(waiting, "wait", wait)
                return create(**terms)

        return ask

    def test_carries_key_and_command_of_the_same_terms(self, failed, create):
        terms = {
            "intent": "draft\x1f; rm -rf",
            "aspect_ratio": "16:9",
            "output_count": 2,
            "output": {"format": "png"},
            "model_parameters": {"seed": 7},
            "max_usd": 0.5,
        }
        answer = failed(idempotency_key="-once's", **terms)

        assert answer.code == "PROVIDER_FAILURE"
        recovery = answer.error["recovery"]
        assert recovery["idempotency_key"] == "-once's"
        assert PROMPT not in str(answer.envelope)
        call = reading.parse(shlex.split(recovery["suggested_command"])[1:])
        again = create(**requests.build(call).body | {"prompt": PROMPT})
        assert again.status == 202
        assert Job.objects.exclude(status="failed").get().idempotency_key == "-once's"

    def test_carries_a_key_where_the_call_had_none(self, failed, create):
        recovery = failed().error["recovery"]

        again = create(idempotency_key=recovery["idempotency_key"])

        assert again.status == 202
        assert Job.objects.count() == 2

    def test_leaves_free_texts_out_of_the_command(self):
        request = GenerationRequest(
            operation="create",
            prompt=PROMPT,
            model_parameters={"negative_prompt": "blurry", "style": "a free text", "quality": "hd"},
        )

        command = repeating.command(request, key="k")

        assert "blurry" not in command
        assert "free text" not in command
        assert '"quality": "hd"' in command

    def test_names_images_and_references_of_an_edit(self):
        request = GenerationRequest(
            operation="edit",
            prompt=PROMPT,
            input_asset_id="image_a",
            mask_asset_id="image_m",
            references=(
                Reference(asset_id="image_b", role="element_frontal", index=1),
                Reference(asset_id="image_c", role="element_reference", index=1, reference_index=2),
                Reference(asset_id="image_d", role="reference_image", reference_task="style"),
            ),
            accept_unknown_cost=True,
        )

        call = reading.parse(shlex.split(repeating.command(request, key="k"))[1:])

        body = requests.build(call).body
        assert (body["input_asset_id"], body["mask_asset_id"]) == ("image_a", "image_m")
        assert body["accept_unknown_cost"] is True
        assert body["references"] == [
            {"asset_id": "image_b", "role": "element_frontal", "index": 1},
            {"asset_id": "image_c", "role": "element_reference", "index": 1, "reference_index": 2},
            {
                "asset_id": "image_d",
                "role": "reference_image",
                "index": 0,
                "reference_task": "style",
            },
        ]


class TestRun:
    def test_second_worker_finds_nothing_to_do(self, create, agent):
        job_id = create().data["job_id"]
        running.run(job_id)

        running.run(job_id)

        assert ledger.balances(agent.organization.pk).preview == 39
        assert Job.objects.get().attempts == 1
