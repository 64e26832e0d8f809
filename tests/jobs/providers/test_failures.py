"""Every error body of the providers' documentation, and what becomes of it."""

from base64 import b64encode
from dataclasses import replace
from decimal import Decimal

import pytest
from PIL import Image

from imageskill.dev.standins.faults import Fault
from imageskill.dev.standins.providers import openai as openai_stand_in
from imageskill.dev.standins.providers import xai as xai_stand_in
from imageskill.dev.standins.providers.fal import RunEnding
from imageskill.lib.errors import Timeout
from jobs.providers import calls, failures, http_calls, refusals
from jobs.providers.failures import (
    BROKEN_RUN,
    NOT_SENT,
    OPERATOR,
    OUTCOME_UNKNOWN,
    PERMANENT,
    POLICY,
    TIMED_OUT,
    TRANSIENT,
    ProviderError,
)
from jobs.providers.interface import ProviderResult, Submission
from tests.jobs.providers.orders import image, order

FAL, OPENAI, XAI = "fal.flux-dev", "openai.gpt-image-2", "xai.grok-imagine-image-quality"


def failed(model: str, **more) -> ProviderError:
    """Run an order to its end, which is a failure."""
    asked = order(model, **more)
    with pytest.raises(ProviderError) as caught:
        run(model.partition(".")[0], asked)
    return caught.value


def run(provider: str, asked):
    answer = calls.submit(provider, asked)
    return answer if isinstance(answer, ProviderResult) else calls.collect(provider, answer, asked)


def detail(kind: str) -> dict:
    return {"detail": [{"loc": ["body", "prompt"], "msg": "SECRET PROMPT", "type": kind}]}


def posts(providers) -> int:
    return sum(request.method == "POST" for request in providers.requests)


class TestTable:
    def test_each_failure_has_one_error_of_the_contract(self):
        codes = {failure.name: failure.error.code for failure in failures.FAILURES}

        assert codes == {
            "permanent": "PROVIDER_FAILURE",
            "operator": "PROVIDER_FAILURE",
            "transient": "PROVIDER_FAILURE",
            "not_sent": "PROVIDER_FAILURE",
            "broken_run": "PROVIDER_FAILURE",
            "policy": "PROVIDER_POLICY_DENIED",
            "unavailable": "PROVIDER_UNAVAILABLE",
            "timeout": "TIMEOUT",
            "outcome_unknown": "PROVIDER_OUTCOME_UNKNOWN",
        }

    def test_only_what_was_not_begun_is_tried_again(self):
        again = [one for one in failures.FAILURES if one.is_retryable_before_acceptance]

        assert again == [TRANSIENT, NOT_SENT]

    def test_only_an_unknown_outcome_keeps_the_job_open(self):
        assert [one for one in failures.FAILURES if not one.is_ended] == [OUTCOME_UNKNOWN]


FAL_RUNS = [
    (422, detail("content_policy_violation"), POLICY, "content_policy_violation"),
    *[
        (422, detail(kind), PERMANENT, kind)
        for kind in (
            "image_too_small", "image_too_large", "image_load_error", "file_download_error",
            "file_too_large", "face_detection_error", "greater_than", "greater_than_equal",
            "less_than", "less_than_equal", "multiple_of", "sequence_too_short",
            "sequence_too_long", "one_of", "missing", "value_error",
        )
    ],
    (422, {"detail": "Old SECRET PROMPT text"}, PERMANENT, "http_422"),
    (500, {"detail": "Internal Server Error"}, BROKEN_RUN, "http_500"),
    (404, {"detail": "No such application version"}, BROKEN_RUN, "http_404"),
    (400, detail("downstream_service_error"), BROKEN_RUN, "downstream_service_error"),
    (500, detail("downstream_service_unavailable"), BROKEN_RUN, "downstream_service_unavailable"),
    (500, detail("internal_server_error"), BROKEN_RUN, "internal_server_error"),
    (504, detail("generation_timeout"), BROKEN_RUN, "generation_timeout"),
    *[
        (status, {"detail": "text", "error_type": kind}, BROKEN_RUN, kind)
        for status, kind in [
            (504, "request_timeout"),
            (504, "startup_timeout"),
            (503, "runner_scheduling_failure"),
            (503, "runner_connection_timeout"),
            (503, "runner_disconnected"),
            (503, "runner_connection_refused"),
        ]
    ],
]  # fmt: skip


class TestFalRuns:
    @pytest.mark.parametrize(("status", "body", "failure", "reason"), FAL_RUNS)
    def test_the_result_says_how_the_run_failed(self, providers, status, body, failure, reason):
        providers.fal.endings.append(RunEnding(status=status, body=body))

        error = failed(FAL)

        assert (error.failure, error.reason) == (failure, reason)
        assert posts(providers) == 1

    def test_the_header_tells_the_type_where_the_body_does_not(self, providers):
        ending = RunEnding(504, {"detail": "x"}, {"X-Fal-Error-Type": "startup_timeout"})
        providers.fal.endings.append(ending)

        assert failed(FAL).reason == "startup_timeout"

    def test_a_picture_that_the_safety_checker_blackened_is_a_refusal(self, providers):
        providers.fal.endings.append(RunEnding(is_flagged=True))

        assert failed(FAL).failure is POLICY

    def test_the_providers_words_never_get_out(self, providers):
        providers.fal.endings.append(RunEnding(422, detail("image_load_error")))

        error = failed(FAL)

        assert "SECRET" not in f"{error} {error.reason}"

    def test_a_run_that_takes_too_long_is_a_timeout(self, providers):
        providers.fal.seconds = 30

        error = failed(FAL, seconds=0.4)

        assert error.failure is TIMED_OUT
        assert error.failure.error is Timeout

    def test_a_run_can_be_canceled_until_it_is_over(self, providers):
        asked = order(FAL)
        providers.fal.seconds = 30
        running = calls.submit("fal", asked)
        providers.fal.seconds = 0
        over = calls.submit("fal", asked)

        assert calls.cancel("fal", running) == "requested"
        assert calls.cancel("fal", over) == "too_late"
        assert calls.poll("fal", over, asked) is not None
        with pytest.raises(ProviderError) as caught:
            calls.poll("fal", running, asked)
        assert caught.value.failure is PERMANENT

    def test_any_worker_can_collect_with_what_was_stored(self, providers):
        asked = order(FAL)
        submission = calls.submit("fal", asked)
        stored = Submission(request_id=submission.request_id, state=dict(submission.state))
        calls.get_adapter.cache_clear()

        outcome = calls.collect("fal", stored, asked)

        assert outcome.request_id == submission.request_id
        assert posts(providers) == 1

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 401])
    def test_trouble_at_the_gateway_while_looking_is_waited_out(self, providers, status):
        fault = Fault(path="/requests/", status=status, body="<html>nginx</html>", times=2)
        providers.faults.add(fault)
        asked = order(FAL)

        outcome = calls.collect("fal", calls.submit("fal", asked), asked)

        assert len(outcome.outputs) == 1

    def test_a_connection_cut_while_looking_is_waited_out(self, providers):
        providers.faults.add(Fault(path="/requests/", cut="before", times=2))
        asked = order(FAL)

        assert calls.collect("fal", calls.submit("fal", asked), asked).outputs

    def test_an_answer_without_end_is_not_read_to_its_end(self, providers):
        endless = {"status": "COMPLETED", "logs": "x" * 2 * http_calls.MAX_RESPONSE_BYTES}
        providers.faults.add(Fault(path="/status", status=200, body=endless, times=None))

        error = failed(FAL)

        assert (error.failure, error.reason) == (TRANSIENT, "http_200")

    def test_trouble_that_lasts_is_told_as_such(self, providers):
        providers.faults.add(Fault(path="/status", status=502, body="no", times=None))

        error = failed(FAL)

        assert (error.failure, error.reason) == (TRANSIENT, "http_502")

    @pytest.mark.parametrize("name", ["status_url", "response_url", "cancel_url"])
    @pytest.mark.parametrize(
        "url",
        ["http://127.0.0.1:1/x", "https://evil.example/requests/1", "file:///etc/passwd", None],
    )
    def test_the_key_goes_to_no_foreign_address(self, providers, name, url):
        asked = order(FAL)
        submission = calls.submit("fal", asked)
        state = submission.state | {name: url}
        altered = Submission(request_id=submission.request_id, state=state)

        with pytest.raises(ProviderError) as caught:
            calls.cancel("fal", altered) and calls.poll("fal", altered, asked)
        assert caught.value.reason == "foreign_url"

    def test_fewer_outputs_than_asked_are_no_success(self, providers):
        providers.faults.add(Fault(path=r"/requests/[0-9a-f-]+$", status=200, body={"images": []}))

        assert failed(FAL).reason == "outputs_missing"


class TestFalSubmits:
    @pytest.mark.parametrize(
        ("status", "body", "failure"),
        [
            (401, {"detail": "Authentication is required"}, OPERATOR),
            (403, {"detail": "Exhausted balance"}, OPERATOR),
            (404, {"message": "Application not found"}, OPERATOR),
            (422, detail("missing"), PERMANENT),
            (422, detail("content_policy_violation"), POLICY),
            (500, {"detail": "oops"}, BROKEN_RUN),
            (502, "<html>", BROKEN_RUN),
            (504, "<html>", BROKEN_RUN),
        ],
    )
    def test_a_refusal_is_final(self, providers, status, body, failure):
        providers.faults.add(Fault(status=status, body=body, times=None))

        assert failed(FAL).failure is failure
        assert posts(providers) == 1

    @pytest.mark.parametrize("status", [408, 409, 429, 503])
    def test_what_was_not_taken_is_offered_again(self, providers, status):
        providers.faults.add(Fault(status=status, body={"detail": "busy"}))
        asked = order(FAL)

        assert calls.collect("fal", calls.submit("fal", asked), asked).outputs
        assert posts(providers) == 2

    def test_offering_again_ends_with_the_deadline(self, providers):
        providers.faults.add(Fault(status=429, body={"detail": "busy"}, times=None))

        assert failed(FAL, seconds=2).failure is TRANSIENT
        assert 2 <= posts(providers) <= 4

    def test_a_pause_that_is_asked_for_and_too_long_is_handed_on(self, providers):
        headers = {"Retry-After": "120"}
        providers.faults.add(Fault(status=429, body={"detail": "busy"}, headers=headers))

        error = failed(FAL)

        assert error.retry_after_s == 120

    def test_nobody_at_the_other_end_means_nothing_was_begun(self, providers, settings):
        settings.FAL_QUEUE_BASE_URL = "http://127.0.0.1:9"
        settings.PROVIDER_RETRY_S = 1

        error = failed(FAL)

        assert (error.failure, error.reason) == (TRANSIENT, "unreachable")

    @pytest.mark.parametrize("body", [{"status": "IN_QUEUE"}, {"request_id": None}, [], "ok"])
    def test_an_answer_without_an_id_leaves_the_outcome_unknown(self, providers, body):
        providers.faults.add(Fault(status=200, body=body))

        assert failed(FAL).failure is OUTCOME_UNKNOWN
        assert posts(providers) == 1


class TestCutOff:
    @pytest.mark.parametrize("model", [OPENAI, XAI])
    def test_an_answer_that_trickles_past_the_deadline_is_given_up(self, providers, model):
        providers.faults.add(Fault(pause_s=10))

        error = failed(model, seconds=1.5)

        assert (error.failure, error.reason) == (OUTCOME_UNKNOWN, "answer_too_slow")

    @pytest.mark.parametrize("model", [FAL, OPENAI, XAI])
    @pytest.mark.parametrize("cut", ["before", "after", "within"])
    def test_a_call_that_began_is_never_made_again(self, providers, model, cut):
        providers.faults.add(Fault(cut=cut))

        assert failed(model).failure is OUTCOME_UNKNOWN
        assert posts(providers) == 1

    @pytest.mark.parametrize("model", [FAL, OPENAI, XAI])
    def test_nor_is_one_that_stays_without_an_answer(self, providers, settings, model):
        settings.FAL_TIMEOUT_S = settings.OPENAI_TIMEOUT_S = settings.XAI_TIMEOUT_S = 1
        providers.faults.add(Fault(delay_s=2))

        assert failed(model).failure is OUTCOME_UNKNOWN
        assert posts(providers) == 1


def openai_error(code: str | None, message: str = "SECRET PROMPT", **more) -> dict:
    return {"error": {"message": message, "type": "t", "param": None, "code": code} | more}


class TestInputs:
    @pytest.mark.parametrize(
        "model", ["fal.flux-pro-kontext", "openai.gpt-image-2-edit", "xai.grok-imagine-image-edit"]
    )
    def test_a_storage_that_does_not_give_them_begins_nothing(self, providers, settings, model):
        def gone():
            raise RuntimeError("no such key SECRET")

        settings.PROVIDER_RETRY_S = 1
        lost = replace(image(), open=gone)

        error = failed(model, inputs=(lost,))

        assert (error.failure, error.reason) == (NOT_SENT, "input_not_read")
        assert not providers.fal.runs

    def test_one_that_is_not_as_long_as_it_was_begins_nothing(self, providers):
        shorter = replace(image(), content_length=10)

        error = failed("fal.flux-pro-kontext", inputs=(shorter,))

        assert (error.failure, error.reason) == (PERMANENT, "input_changed")
        assert not providers.fal.runs

    @pytest.mark.parametrize(
        ("images", "refusal"),
        [
            ({"inputs": (image(Image.new("CMYK", (400, 300)), kind="JPEG"),)}, refusals.IMAGE),
            ({"inputs": (image(Image.new("I;16", (400, 300))),)}, refusals.IMAGE),
            ({"inputs": (image(kind="GIF"),)}, refusals.IMAGE),
            ({"mask": image(Image.new("RGBA", (300, 400)), role="mask")}, refusals.MASK),
            ({"mask": image(role="mask")}, refusals.MASK),
        ],
    )
    def test_what_openai_can_not_read_is_refused_for_good_and_named(
        self, providers, images, refusal
    ):
        error = failed("openai.gpt-image-2-edit", **images)

        told = (error.failure, error.reason, error.refusal)
        assert told == (PERMANENT, "invalid_image_file", refusal)


class TestOpenAI:
    @pytest.mark.parametrize(
        ("status", "body", "failure", "reason"),
        [
            (400, openai_stand_in.blocked_body(), POLICY, "moderation_blocked"),
            (
                400,
                openai_error(None, "Your request was rejected by the safety system as a result"),
                POLICY,
                "http_400",
            ),
            (401, openai_error("invalid_api_key"), OPERATOR, "invalid_api_key"),
            (403, openai_error(None, "Your organization must be verified"), OPERATOR, "http_403"),
            (429, openai_error("insufficient_quota"), OPERATOR, "insufficient_quota"),
            (
                429,
                openai_error("billing_hard_limit_reached"),
                OPERATOR,
                "billing_hard_limit_reached",
            ),
            (400, openai_error("invalid_image_file"), PERMANENT, "invalid_image_file"),
            (400, openai_error("invalid_size"), PERMANENT, "invalid_size"),
            (400, openai_error("invalid_value"), PERMANENT, "invalid_value"),
            (
                400,
                openai_error("invalid_input_fidelity_model"),
                PERMANENT,
                "invalid_input_fidelity_model",
            ),
            (500, openai_error("server_error"), BROKEN_RUN, "server_error"),
            (502, "<html>", BROKEN_RUN, "http_502"),
            (504, "<html>", BROKEN_RUN, "http_504"),
        ],
    )
    def test_an_error_is_told_by_its_code(self, providers, status, body, failure, reason):
        providers.faults.add(Fault(status=status, body=body))

        error = failed(OPENAI)

        assert (error.failure, error.reason) == (failure, reason)
        assert "SECRET" not in f"{error} {error.reason}"
        assert posts(providers) == 1

    @pytest.mark.parametrize("status", [429, 503])
    def test_what_was_not_taken_is_offered_again(self, providers, status):
        body = openai_error("rate_limit_exceeded")
        providers.faults.add(Fault(status=status, body=body))

        assert calls.submit("openai", order(OPENAI)).outputs
        assert posts(providers) == 2

    def test_usage_becomes_the_exact_cost(self, providers):
        quality = {"quality": "low", "size": "1024x1024"}
        outcome = calls.submit("openai", order(OPENAI, output_count=2, parameters=quality))

        usage = {"text_in": 7, "image_in": 0, "text_out": 0, "image_out": 2 * 196}
        assert outcome.usage == usage
        assert outcome.cost_usd == Decimal("0.011795")  # 7 x 5 and 392 x 30 dollars a million
        assert outcome.request_id == "req_standin"

    def test_pictures_that_went_in_are_paid_for(self, providers):
        outcome = calls.submit("openai", order("openai.gpt-image-1.5-edit"))

        assert outcome.usage["image_in"] == 323
        rates = {"text_in": 5, "image_in": 8, "image_out": 32, "text_out": 10}
        spent = sum(count * rates[name] for name, count in outcome.usage.items())
        assert outcome.cost_usd == Decimal(spent) / 1_000_000

    def test_usage_without_details_is_priced_all_the_same(self, providers):
        image = calls.submit("openai", order(OPENAI)).outputs[0].file.read()
        body = {
            "data": [{"b64_json": b64encode(image).decode()}],
            "usage": {"input_tokens": 10, "output_tokens": 100, "total_tokens": 110},
        }
        providers.faults.add(Fault(status=200, body=body))

        outcome = calls.submit("openai", order(OPENAI))

        assert outcome.cost_usd == Decimal("0.00305")

    def test_no_usage_no_cost(self, providers):
        image = calls.submit("openai", order(OPENAI)).outputs[0].file.read()
        providers.faults.add(
            Fault(status=200, body={"data": [{"b64_json": b64encode(image).decode()}]})
        )

        assert calls.submit("openai", order(OPENAI)).cost_usd is None

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            ([], "outputs_missing"),
            ([{"b64_json": None}], "outputs_missing"),
            ([{"b64_json": 0}], "outputs_missing"),
            ([{"b64_json": "bm8gcGljdHVyZQ=="}], "output_not_an_image"),
            ([{"b64_json": "&&&"}], "answer_not_base64"),
        ],
    )
    def test_an_answer_without_pictures_is_a_broken_run(self, providers, data, reason):
        providers.faults.add(Fault(status=200, body={"data": data}))

        error = failed(OPENAI)

        assert (error.failure, error.reason) == (BROKEN_RUN, reason)


class TestXAI:
    @pytest.mark.parametrize(
        ("status", "body", "failure", "reason"),
        [
            (
                400,
                {
                    "code": "Client specified an invalid argument",
                    "error": "Generated image rejected by content moderation.",
                },
                POLICY,
                "content_moderated",
            ),
            (400, xai_stand_in.blocked_body(), POLICY, "content_moderated"),
            (
                400,
                {
                    "code": "Client specified an invalid argument",
                    "error": "Argument not supported: size",
                },
                PERMANENT,
                "http_400",
            ),
            (400, {"error": {"message": "m", "code": "bad_size"}}, PERMANENT, "bad_size"),
            (401, {"code": "unauthenticated", "error": "key"}, OPERATOR, "unauthenticated"),
            (403, {"code": "no-credits", "error": "balance"}, OPERATOR, "no-credits"),
            (500, {"code": "internal", "error": "oops"}, BROKEN_RUN, "internal"),
            (502, "<html>", BROKEN_RUN, "http_502"),
        ],
    )
    def test_an_error_is_told_by_code_or_text(self, providers, status, body, failure, reason):
        providers.faults.add(Fault(status=status, body=body))

        error = failed(XAI)

        assert (error.failure, error.reason) == (failure, reason)
        assert posts(providers) == 1

    @pytest.mark.parametrize(
        ("status", "code"), [(429, "resource-exhausted"), (503, "unavailable")]
    )
    def test_what_was_not_taken_is_offered_again(self, providers, status, code):
        providers.faults.add(Fault(status=status, body={"code": code, "error": "busy"}))

        assert calls.submit("xai", order(XAI)).outputs
        assert posts(providers) == 2

    @pytest.mark.parametrize(
        ("status", "code"), [(429, "resource-exhausted"), (503, "unavailable")]
    )
    def test_offering_again_ends_with_the_deadline(self, providers, status, code):
        body = {"code": code, "error": "busy"}
        providers.faults.add(Fault(status=status, body=body, times=None))

        error = failed(XAI, seconds=2)

        assert (error.failure, error.reason) == (TRANSIENT, code)
        assert 2 <= posts(providers) <= 4

    def test_what_moderation_blocked_is_billed_all_the_same(self, providers):
        providers.faults.add(Fault(status=400, body=xai_stand_in.blocked_body()))

        assert failed(XAI).cost_usd == Decimal("0.05")

    def test_an_item_that_moderation_took_out_is_a_refusal(self, providers):
        body = {
            "data": [{"url": "", "respect_moderation": False}],
            "usage": {"cost_in_usd_ticks": 500_000_000},
        }
        providers.faults.add(Fault(status=200, body=body))

        error = failed(XAI)

        assert (error.failure, error.cost_usd) == (POLICY, Decimal("0.05"))

    def test_ticks_become_the_exact_cost(self, providers):
        asked = order("xai.grok-imagine-image-quality-edit", parameters={"resolution": "2k"})

        assert calls.submit("xai", asked).cost_usd == Decimal("0.08")

    def test_a_body_without_usage_has_no_cost(self, providers):
        asked = order(XAI)
        outcome = calls.submit("xai", asked)
        data = [{"b64_json": b64encode(outcome.outputs[0].file.read()).decode()}]
        providers.faults.add(Fault(status=200, body={"data": data}))

        assert calls.submit("xai", asked).cost_usd is None

    def test_a_picture_that_is_only_linked_is_fetched(self, providers):
        providers.xai.files["0a"] = calls.submit("xai", order(XAI)).outputs[0].file.read()
        base_url = providers.requests[0].base_url
        body = {"data": [{"url": f"{base_url}/xai/files/0a.jpeg"}]}
        providers.faults.add(Fault(status=200, body=body))

        outcome = calls.submit("xai", order(XAI))

        assert outcome.outputs[0].mime_type == "image/jpeg"
        assert "authorization" not in providers.requests[-1].headers

    def test_what_can_not_be_fetched_was_billed(self, providers):
        body = {
            "data": [{"url": "https://evil.example/a.jpeg"}],
            "usage": {"cost_in_usd_ticks": 500_000_000},
        }
        providers.faults.add(Fault(status=200, body=body))

        error = failed(XAI)

        assert (error.failure, error.reason) == (BROKEN_RUN, "output_host_unknown")
        assert error.cost_usd == Decimal("0.05")
