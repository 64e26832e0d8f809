"""Every answer is an envelope: the framework's own refusals included."""

import json

import pytest

from imageskill.lib import errors
from imageskill.lib.postgresql import strict_json


@pytest.mark.django_db
class TestEnvelope:
    def test_an_unknown_route_is_an_envelope(self, api):
        answer = api.get("/v1/nothing-here")
        assert (answer.status, answer.code, answer.exit_code) == (404, "NOT_FOUND", 1)

    def test_a_wrong_method_is_an_envelope_and_names_the_right_one(self, api):
        answer = api.post("/v1/whoami")
        assert (answer.status, answer.code, answer.exit_code) == (405, "METHOD_NOT_ALLOWED", 2)
        assert answer.headers["allow"] == "GET"

    def test_a_trailing_slash_is_no_redirect(self, api):
        assert api.post("/v1/feedback/", json={}).status == 404

    def test_every_answer_carries_trace_and_exit_code(self, api):
        answer = api.get("/healthz")
        assert answer.headers["x-image-skill-trace-id"] == answer.envelope["trace_id"]
        assert answer.exit_code == 0

    @pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
    def test_load_balancers_ask_by_any_host(self, client, path):
        for host in ("10.0.0.7:8000", "nobody.example", "a b"):
            response = client.get(path, headers={"Host": host})
            assert response.status_code == 200
            assert "status" in response.json() or response.json()["data"]["status"]

    def test_a_wrong_host_gets_a_clear_answer_elsewhere(self, api):
        answer = api.get("/v1/models", Host="nobody.example")
        assert (answer.status, answer.code) == (422, "INVALID_ARGUMENTS")

    def test_without_its_database_it_is_not_ready(self, client, monkeypatch):
        monkeypatch.setattr("imageskill.web.health._database_answers", lambda: False)
        response = client.get("/readyz")
        assert (response.status_code, response.json()) == (503, {"status": "unavailable"})
        assert client.get("/livez").status_code == 200

    def test_while_it_drains_it_is_not_ready_and_serves(self, client, settings, tmp_path):
        settings.DRAIN_FILE = str(tmp_path / "draining")
        assert client.get("/readyz").status_code == 200
        (tmp_path / "draining").touch()
        response = client.get("/readyz")
        assert (response.status_code, response.json()) == (503, {"status": "draining"})
        assert client.get("/livez").status_code == 200

    def test_the_command_is_named_on_refusals_too(self, api):
        assert api.get("/v1/whoami").envelope["command"] == "image-skill whoami"
        assert api.get("/v1/activity/x").envelope["command"] == "image-skill activity show"

    def test_a_defect_tells_nothing_but_the_trace(self, api, agent, monkeypatch):
        def explode(*_, **__):
            raise RuntimeError("secret detail")

        # Our own module is patched because a defect can't be had otherwise.
        monkeypatch.setattr("accounts.api.endpoints.caps_out", explode)
        answer = api.get("/v1/whoami", token=agent.token)
        assert (answer.status, answer.code, answer.exit_code) == (500, "INTERNAL_ERROR", 1)
        assert "secret detail" not in json.dumps(answer.envelope)

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"title": NaN}',
            b'{"title": "a", "title": "b"}',
            b'{"title": "a", "surface": [{"x": 1, "x": 1}]}',
            b'{"title": "\\u0000"}',
            b'{"title": "\\ud800"}',
            b'{"title": "\xff"}',
            b'{"a":' * 100_000,
        ],
    )
    def test_a_body_that_is_no_strict_json_object_is_refused(self, api, agent, raw):
        answer = api.post("/v1/feedback", raw=raw, token=agent.token)
        assert (answer.status, answer.code) == (422, "INVALID_ARGUMENTS")
        assert answer.error["details"][0]["field"] == "body"

    def test_types_are_strict_and_details_never_hold_the_value(self, api, agent):
        answer = api.post(
            "/v1/feedback",
            json={"title": 12345678, "allow_weak_signal": "canary-value", "nobody": 1},
            token=agent.token,
        )
        assert {detail["field"] for detail in answer.error["details"]} == {
            "title",
            "allow_weak_signal",
            "nobody",
        }
        text = json.dumps(answer.envelope)
        assert "12345678" not in text
        assert "canary-value" not in text

    def test_a_large_body_is_refused(self, api, agent):
        answer = api.post("/v1/feedback", raw=b" " * 1_000_001, token=agent.token)
        assert (answer.status, answer.code) == (413, "INVALID_ARGUMENTS")

    def test_unknown_query_parameters_do_no_harm(self, api, agent):
        assert api.get("/v1/activity?nobody=1", token=agent.token).status == 200

    def test_too_many_query_parameters_are_refused(self, api, agent):
        query = "&".join(f"a{number}=1" for number in range(1500))
        answer = api.get(f"/v1/activity?{query}", token=agent.token)
        assert (answer.status, answer.code) == (422, "INVALID_ARGUMENTS")
        assert "too many parameters" in answer.error["message"]

    @pytest.mark.parametrize("path", ["/v1/activity?subject=%00", "/v1/activity/%00"])
    def test_a_nul_in_the_address_is_refused(self, api, agent, path):
        assert api.get(path, token=agent.token).status in {404, 422}


class TestStrictJson:
    def test_escaped_pairs_are_whole_characters(self):
        assert strict_json.parse(b'"\\ud83d\\ude00"') == "\U0001f600"

    def test_what_is_storable(self):
        assert strict_json.is_storable("plain")
        assert not strict_json.is_storable("\x00")
        assert not strict_json.is_storable("\udc00")


class TestApiError:
    def test_exit_codes_are_those_of_the_contract(self):
        assert errors.InvalidArguments.exit_code == 2
        assert errors.Timeout().retryable
        assert errors.RateLimited.status == 429
