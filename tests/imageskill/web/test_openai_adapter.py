"""`/openai/v1`: OpenAI's routes and shapes over our own endpoints."""

import base64
import io
import json
import threading
import time

import httpx
import openai
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from PIL import Image

from billing import ledger
from imageskill.lib.redis.client import RedisUnavailable
from imageskill.web.openai_adapter import errors, fields, retries
from imageskill.web.openai_adapter.fields import EditFields, GenerationFields, ParameterRefused
from imageskill.web.openai_adapter.files import Files, uploaded_before
from jobs import registry
from jobs.models import Asset, Job

GENERATIONS, EDITS = "/openai/v1/images/generations", "/openai/v1/images/edits"
PROMPT = "A compact field camera on a stainless workbench"


def png(color="red", size=(64, 64), mode="RGB"):
    out = io.BytesIO()
    Image.new(mode, size, color).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def working(transactional_db, drain, settings):
    """Have the tasks of the call that comes next run beside it."""
    settings.CREATE_WAIT_S = 20

    def work():
        until = time.monotonic() + 20
        try:
            while "jobs.run" not in drain() and time.monotonic() < until:
                time.sleep(0.1)
        finally:
            connection.close()

    def start():
        worker = threading.Thread(target=work)
        worker.start()
        return worker

    return start


@pytest.fixture
def post(transactional_db, agent):
    def send(path, document=None, token=agent.token, files=None, **headers):
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if files is not None:
            return Client().post(path, (document or {}) | files, headers=headers)
        return Client().post(path, document, content_type="application/json", headers=headers)

    return send


def generation(**changes):
    return {"prompt": PROMPT, "model": "local.sketch"} | changes


def error_of(response):
    document = json.loads(response.content)
    assert set(document) == {"error"}
    error = document["error"]
    assert {"message", "type", "param", "code", "image_skill"} == set(error)
    assert error["image_skill"]["trace_id"] == response["x-request-id"]
    return error


class TestGenerate:
    def test_answers_with_the_image_and_charges_as_create_does(self, post, working, agent):
        worker = working()
        response = post(GENERATIONS, generation(n=2, size="1024x1024", user="somebody"))
        worker.join()

        answer = response.json()
        assert response.status_code == 200, answer
        assert [set(image) for image in answer["data"]] == [{"url"}, {"url"}]
        assert answer["created"] > 1_700_000_000
        asset = Asset.objects.filter(job__public_id=answer["image_skill"]["job_id"]).first()
        assert answer["size"] == f"{asset.width}x{asset.height}"
        assert answer["image_skill"]["consumed_credits"] == 2
        assert ledger.balances(agent.organization.pk) == (38, 0, 0, 0)
        assert response["x-request-id"] == Job.objects.get().trace_id

    def test_gives_the_bytes_where_they_are_asked_for(self, post, working):
        worker = working()
        response = post(GENERATIONS, generation(response_format="b64_json"))
        worker.join()

        (image,) = response.json()["data"]
        data = base64.b64decode(image["b64_json"])
        assert Image.open(io.BytesIO(data)).size
        assert image["url"].endswith(".png")

    def test_repeats_with_a_key_give_the_same_job(self, post, working):
        headers = {"Idempotency-Key": "run-7"}
        worker = working()
        first = post(GENERATIONS, generation(), **headers).json()
        worker.join()
        assert post(GENERATIONS, generation(), **headers).json()["data"] == first["data"]

        other = post(GENERATIONS, generation(prompt="another"), **headers)
        assert (other.status_code, error_of(other)["code"]) == (409, "idempotency_conflict")
        assert other["x-should-retry"] == "false"

    def test_retries_of_a_library_wait_for_the_same_job(self, post, settings, drain):
        settings.CREATE_WAIT_S = 0.1
        first = post(GENERATIONS, generation(), **{"X-Stainless-Retry-Count": "0"})
        assert first.status_code == 504
        assert first["x-should-retry"] == "true"
        assert Job.objects.get().public_id in error_of(first)["message"]
        drain()

        again = post(GENERATIONS, generation(), **{"X-Stainless-Retry-Count": "1"})
        assert again.status_code == 200
        assert Job.objects.count() == 1

        post(GENERATIONS, generation(), **{"X-Stainless-Retry-Count": "0"})
        assert Job.objects.count() == 2  # asked for once more, not repeated

    def test_a_call_that_nobody_could_repeat_is_not_to_be_repeated(self, post, settings):
        settings.CREATE_WAIT_S = 0.1
        response = post(GENERATIONS, generation())
        assert (response.status_code, response["x-should-retry"]) == (504, "false")

    def test_nor_is_one_whose_key_could_not_be_remembered(self, post, settings, monkeypatch):
        def no_client():
            raise RedisUnavailable

        settings.CREATE_WAIT_S = 0.1
        monkeypatch.setattr(retries, "client", no_client)
        response = post(GENERATIONS, generation(), **{"X-Stainless-Retry-Count": "0"})
        assert (response.status_code, response["x-should-retry"]) == (504, "false")


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "status", "code", "param"),
        [
            ({"model": "dall-e-9"}, 404, "model_not_found", "model"),
            ({"prompt": ""}, 400, None, "prompt"),
            ({"n": 11}, 400, None, "n"),
            ({"size": "large"}, 400, None, "size"),
            ({"stream": True}, 400, None, "stream"),
            ({"style": "vivid"}, 400, None, "style"),
            ({"quality": "high"}, 400, None, "quality"),
            ({"max_usd": "1"}, 400, None, "max_usd"),
            ({"model": "openai.gpt-image-2"}, 404, "model_not_found", None),
            ({"model_parameters": {"color": 1}}, 400, "invalid_value", "color"),
        ],
    )
    def test_name_the_parameter(self, post, changes, status, code, param):
        response = post(GENERATIONS, generation(**changes))
        error = error_of(response)
        assert (response.status_code, error["code"], error["param"]) == (status, code, param), error
        assert response["x-should-retry"] == "false"
        assert not Job.objects.exists()

    @pytest.mark.parametrize("token", [None, "isk_r_unknown"])
    @pytest.mark.parametrize("path", [GENERATIONS, EDITS])
    def test_a_token_is_needed(self, post, path, token):
        response = post(path, generation(), token=token)
        assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")

    def test_an_empty_balance_is_an_insufficient_quota(self, post, settings, agent):
        settings.DAILY_JOBS_PREVIEW = 0
        response = post(GENERATIONS, generation())
        assert (response.status_code, error_of(response)["code"]) == (429, "insufficient_quota")
        assert response["x-should-retry"] == "false"
        assert error_of(response)["image_skill"]["code"] == "DAILY_JOB_LIMIT"

    def test_what_is_no_json_or_no_form_is_refused(self, post, agent):
        headers = {"Authorization": f"Bearer {agent.token}"}
        response = Client().post(GENERATIONS, "{", content_type="application/json", headers=headers)
        assert response.status_code == 400
        assert error_of(post(EDITS, generation()))["message"].endswith("multipart/form-data.")

    @pytest.mark.parametrize("rest", ["/chat/completions", "/", "", "/models/a%0Ab", "/%0A"])
    def test_other_routes_answer_in_the_same_shape(self, rest, db):
        response = Client().post(f"/openai/v1{rest}")
        assert (response.status_code, error_of(response)["code"]) == (404, "not_found")

    def test_other_methods_answer_in_the_same_shape(self, db):
        response = Client().get(GENERATIONS)
        assert (response.status_code, response["Allow"]) == (405, "POST")
        assert error_of(response)["message"]

    def test_a_body_that_is_too_large_is_refused_unread(self, db):
        response = Client().post(GENERATIONS, b" " * 1_000_001, content_type="application/json")
        assert response.status_code == 413
        assert error_of(response)["image_skill"]["code"] == "INVALID_ARGUMENTS"

    @pytest.mark.parametrize(
        ("code", "status", "expected"),
        [
            ("CONTENT_POLICY_DENIED", 422, (400, "content_policy_violation")),
            ("BUDGET_EXCEEDED", 402, (400, "budget_exceeded")),
            ("CAPABILITY_DENIED", 403, (403, "insufficient_permissions")),
            ("RATE_LIMITED", 429, (429, "rate_limit_exceeded")),
            ("SERVICE_UNAVAILABLE", 503, (503, "service_unavailable")),
        ],
    )
    def test_have_the_status_and_code_that_libraries_know(self, code, status, expected):
        response = errors.build(code, "No.", status=status)
        assert (response.status_code, error_of(response)["code"]) == expected
        assert response["x-should-retry"] == "false"

    @pytest.mark.parametrize(("wait_s", "is_repeated"), [(60, "true"), (61, "false")])
    def test_are_repeated_where_the_wait_is_short(self, wait_s, is_repeated):
        response = errors.build(
            "RATE_LIMITED",
            "Later.",
            status=429,
            retryable=True,
            recovery={"retry_after_seconds": wait_s},
        )
        assert response["x-should-retry"] == is_repeated
        assert response["Retry-After"] == str(wait_s)


class TestLimits:
    @pytest.mark.parametrize(
        ("path", "document"),
        [
            (GENERATIONS, {"prompt": ""}),
            (GENERATIONS, generation(model="local.sketch", size="large")),
            (EDITS, {}),
            ("/openai/v1/chat/completions", {}),
        ],
    )
    def test_what_is_refused_before_our_endpoints_counts_too(self, post, settings, path, document):
        settings.REQUESTS_PER_MINUTE_PER_CALLER = 2
        codes = [post(path, document).status_code for _ in range(5)]  # the minute may turn once
        assert codes[0] == codes[1] != 429
        assert 429 in codes


class TestModels:
    def test_lists_those_that_can_run(self, db):
        listed = Client().get("/openai/v1/models").json()
        assert listed["object"] == "list"
        assert "local.sketch" in {row["id"] for row in listed["data"]}
        assert {frozenset(row) for row in listed["data"]} == {
            frozenset({"id", "object", "created", "owned_by"})
        }

    def test_shows_one(self, db):
        assert Client().get("/openai/v1/models/local.sketch").json()["id"] == "local.sketch"
        default = Client().get("/openai/v1/models/default").json()
        assert default["id"] in {
            row["id"] for row in Client().get("/openai/v1/models").json()["data"]
        }
        response = Client().get("/openai/v1/models/sketch")  # a name that generations take, too
        assert response.json()["id"] == "local.sketch"
        response = Client().get("/openai/v1/models/none")
        assert (response.status_code, error_of(response)["code"]) == (404, "model_not_found")

    def test_a_wrong_token_is_told(self, db):
        headers = {"Authorization": "Bearer isk_r_unknown"}
        assert Client().get("/openai/v1/models", headers=headers).status_code == 401


class TestEdit:
    @pytest.fixture
    def form(self):
        return {
            "prompt": "Make it blue",
            "model": "local.sketch-remix",
            "accept_unknown_cost": "true",
        }

    def file(self, **options):
        return SimpleUploadedFile("in.png", png(**options), "image/png")

    def test_uploads_the_image_and_edits_it(self, post, form, working, agent):
        worker = working()
        response = post(EDITS, form, files={"image": self.file()})
        worker.join()

        assert response.status_code == 200, response.json()
        uploaded, made = Asset.objects.order_by("pk")
        assert uploaded.kind == "uploaded"
        assert made.public_id in response.json()["data"][0]["url"]

    def test_a_repeat_with_its_key_uploads_nothing_and_charges_nothing(self, post, form, working):
        headers = {"Idempotency-Key": "edit-1"}
        worker = working()
        first = post(EDITS, form, files={"image[]": self.file()}, **headers)
        worker.join()
        again = post(EDITS, form, files={"image[]": self.file()}, **headers)
        assert first.status_code == 200, first.json()
        assert again.json().get("data") == first.json()["data"], again.json()
        assert Asset.objects.count() == 2

        other = post(EDITS, form, files={"image[]": self.file(color="blue")}, **headers)
        assert other.status_code == 409

    def test_a_key_stands_for_the_files_of_its_agent_and_no_others(
        self, post, form, agent, stranger, settings
    ):
        settings.CREATE_WAIT_S = 0.1
        headers = {"Idempotency-Key": "edit-1"}
        for token in (agent.token, stranger.token):
            answer = post(EDITS, form, files={"image": self.file()}, token=token, **headers)
            assert answer.status_code == 504, answer.json()
        assert Asset.objects.count() == 2  # one for each agent

        def found(mask):
            given = Files(images=[self.file()], mask=mask)
            return uploaded_before(agent.agent, "edit-1", given)

        assert found(mask=None) == {"input_asset_id": Asset.objects.earliest("pk").public_id}
        assert found(mask=self.file(color="white")) is None

    @pytest.mark.parametrize(("files", "param"), [({}, "image"), ({"image": "text"}, "image")])
    def test_needs_an_image_file(self, post, form, files, param):
        response = post(EDITS, form, files=files)
        assert (response.status_code, error_of(response)["param"]) == (400, param)

    def test_what_is_no_image_is_refused(self, post, form):
        response = post(EDITS, form, files={"image": SimpleUploadedFile("a.png", b"nothing")})
        assert (response.status_code, error_of(response)["code"]) == (400, "invalid_image")

    def test_images_that_the_model_does_not_take_are_refused(self, post, form):
        response = post(EDITS, form, files={"image": [self.file(), self.file(color="blue")]})
        assert (response.status_code, error_of(response)["param"]) == (400, "image")


class TestLibrary:
    """OpenAI's own, unchanged but for the address and the token."""

    def test_makes_edits_and_lists(self, live, agent):
        with openai.OpenAI(base_url=f"{live.url}/openai/v1", api_key=agent.token) as library:
            assert "local.sketch" in {model.id for model in library.models.list()}
            made = library.images.generate(
                model="local.sketch", prompt=PROMPT, size="1024x1024", response_format="b64_json"
            )
            data = base64.b64decode(made.data[0].b64_json)
            edited = library.images.edit(
                model="local.sketch-remix",
                image=("in.png", data, "image/png"),
                prompt="Make it blue",
                extra_body={"accept_unknown_cost": True},
            )
            assert edited.data[0].url.startswith("http")
            assert httpx.get(edited.data[0].url).status_code == 200
            with pytest.raises(openai.NotFoundError) as refused:
                library.images.generate(model="dall-e-9", prompt=PROMPT)
            assert refused.value.param == "model"
            with pytest.raises(openai.AuthenticationError):
                library.with_options(api_key="isk_r_unknown").models.list()


class TestTerms:
    def terms(self, model=None, operation="create", **given):
        kind = EditFields if operation == "edit" else GenerationFields
        found = fields.find_model(model, operation)
        return fields.build_terms(kind.model_validate({"prompt": "p"} | given), found)

    def test_leave_out_what_is_left_to_the_model(self):
        assert self.terms(size="auto", quality="auto", background="auto") == {
            "prompt": "p",
            "output_count": 1,
        }

    def test_leave_the_model_to_the_service_by_default(self):
        assert self.terms("default") == self.terms() == {"prompt": "p", "output_count": 1}

    def test_a_model_with_sizes_gets_the_exact_one(self):
        terms = self.terms("gpt-image-2", size="1536x1024", quality="hd", output_format="webp")
        assert terms["model"] == "openai.gpt-image-2"
        assert terms["output"] == {"width": 1536, "height": 1024, "format": "webp"}
        assert terms["model_parameters"] == {"quality": "high"}

    @pytest.mark.parametrize(
        ("size", "ratio"),
        [("1024x1024", "1:1"), ("1792x1024", "16:9"), ("1024x1536", "2:3"), ("512x512", "1:1")],
    )
    @pytest.mark.parametrize("model", [None, "fal.nano-banana-2"])
    def test_others_get_the_nearest_ratio(self, model, size, ratio):
        terms = self.terms(model, size=size)
        assert terms["aspect_ratio"] == ratio
        assert "output" not in terms

    def test_one_name_stands_for_the_model_of_either_operation(self):
        assert self.terms("gpt-image-2", "edit")["model"] == "openai.gpt-image-2-edit"
        with pytest.raises(ParameterRefused, match="not a model for create"):
            self.terms("fal.flux-pro-kontext")

    @pytest.mark.parametrize(
        "model", [m.id for m in registry.models() if m.is_wired and m.operation == "create"]
    )
    def test_a_square_is_in_the_reach_of_every_model(self, model):
        terms = self.terms(model, size="1024x1024")
        assert terms.get("aspect_ratio") == "1:1" or terms["output"]["width"] == 1024

    def test_our_own_terms_pass_through(self):
        terms = self.terms(max_usd=0.1, intent="final", accept_unknown_cost=True)
        assert json.dumps(terms, default=str).count("0.1") == 1
        assert terms["intent"] == "final"
        assert terms["accept_unknown_cost"] is True
