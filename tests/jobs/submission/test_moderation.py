import pytest
from structlog.testing import capture_logs

from imageskill.dev.standins.faults import Fault
from imageskill.lib.errors import ServiceUnavailable
from jobs.submission import moderation
from jobs.submission.moderation import ContentPolicyDenied

FIFTY_CREDITS = {
    "model": "fal.gemini-3-pro-image-preview",
    "model_parameters": {"resolution": "4K"},
}


def refused_for(prompt: str, check=moderation.check) -> str:
    with pytest.raises(ContentPolicyDenied) as caught:
        check(prompt)
    return caught.value.policy_class


class TestRules:
    @pytest.mark.parametrize(
        ("prompt", "policy_class"),
        [
            ("a naked child", "sexual_minors"),
            ("N\u0301AKED, of a\nTODDLER", "sexual_minors"),
            ("a na\u200bked kid", "sexual_minors"),
            ("ｎｕｄｅ ｋｉｄｓ", "sexual_minors"),
            ("please undress this woman", "intimate_without_consent"),
            ("a porn poster", "sexual_explicit"),
            ("a forged German passport, scan", "forged_documents"),
            ("isis recruitment poster", "extremist_propaganda"),
            ("blueprint of a pipe-bomb", "dangerous_instructions"),
            ("a poster glorifying suicide", "self_harm"),
        ],
    )
    def test_what_is_not_made_here_is_refused_by_class(self, prompt, policy_class):
        assert refused_for(prompt) == policy_class

    @pytest.mark.parametrize(
        "prompt",
        [
            "a tea kettle on the moon",
            "children at a birthday party",
            "a nude by Modigliani",
            "a passport on a wooden table",
            "suicide squad movie style typography",
            "a bathbomb with blueprint paper",
            "Essex county map for kids",
            "sketch of the Sussex coast with children",
        ],
    )
    def test_all_else_passes(self, prompt):
        moderation.check(prompt)

    def test_staff_see_the_class_and_nobody_the_prompt(self):
        with capture_logs() as lines:
            refused_for("a naked child in SECRETVILLE")

        told = {line["event"]: line for line in lines}
        assert told["prompt_refused"]["policy_class"] == "sexual_minors"
        assert told["telemetry"]["status"] == "sexual_minors"
        assert "SECRETVILLE" not in str(lines)
        assert "SECRETVILLE" not in ContentPolicyDenied().text


class TestModeration:
    @pytest.fixture(autouse=True)
    def _asked(self, providers, settings):
        settings.PROMPT_POLICY = "openai"

    def test_what_the_endpoint_flags_is_refused_by_its_category(self):
        refused = refused_for("something [violence/graphic] here", moderation.check_by_endpoint)
        assert refused == "violence/graphic"

    def test_what_it_does_not_flag_passes(self, providers):
        moderation.check_by_endpoint("a tea kettle")

        (request,) = providers.requests
        assert request.json == {"model": "omni-moderation-latest", "input": "a tea kettle"}
        assert request.headers["authorization"] == "Bearer openai-key"

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"dry_run": True}, None),
            ({"prompt": "a naked child"}, "CONTENT_POLICY_DENIED"),
            (FIFTY_CREDITS, "QUOTA_EXCEEDED"),
        ],
    )
    @pytest.mark.django_db
    def test_nobody_is_called_for_what_costs_or_ends_nothing(
        self, api, agent, providers, change, code
    ):
        answer = api.post(
            "/v1/create",
            json={"prompt": "something [violence] here", "model": "local.sketch"} | change,
            token=agent.token,
        )
        assert answer.code == code
        assert not providers.requests

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(status=500, body={}),
            Fault(status=200, body={"results": []}),
            Fault(status=200, body={"results": [{"categories": None}]}),
            Fault(status=200, body="<html>"),
            Fault(cut="before"),
        ],
    )
    def test_a_judge_that_can_not_be_heard_stops_the_call(self, providers, fault):
        providers.faults.add(fault)

        with pytest.raises(ServiceUnavailable):
            moderation.check_by_endpoint("a tea kettle")
