"""`/mcp` in this process: what HTTP says beside the protocol, and what a model reads."""

import json
import time

import pytest
from django.test import Client

from imageskill.web.mcp import http, progress, results

EVERYTHING = "application/json, text/event-stream"


def message(method, **params):
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


@pytest.fixture
def ask(transactional_db):
    """Send one message; give the response."""

    def send(method, token=None, accept=EVERYTHING, path="/mcp", **params):
        headers = {"Accept": accept, "MCP-Protocol-Version": "2025-06-18"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return Client().post(
            path, message(method, **params), content_type="application/json", headers=headers
        )

    return send


@pytest.fixture
def call(ask):
    """Call a tool; give its result."""

    def run(name, token=None, **arguments):
        answer = ask("tools/call", token, name=name, arguments=arguments).json()
        return answer["result"]

    return run


class TestGuide:
    def test_names_tools_and_arguments_for_each_stage(self, call, agent, settings):
        settings.LOCAL_PROVIDER = True
        first = call("create", guide=True)["structuredContent"]["data"]
        assert first["stage"] == "prompt_required"
        assert first["next_call"]["tool"] == "create"
        assert first["next_call"]["arguments"]["guide"] is True
        second = call("create", guide=True, prompt="cat")["structuredContent"]["data"]
        assert (second["stage"], second["next_call"]["tool"]) == ("auth_required", "signup")
        assert second["no_spend_next_call"]["arguments"]["dry_run"] is True
        third = call("create", agent.token, guide=True, prompt="cat")["structuredContent"]["data"]
        assert third["stage"] == "ready_to_create"
        assert third["next_call"]["arguments"]["idempotency_key"]

    def test_guides_to_an_edit_without_an_image(self, call, agent, settings):
        settings.LOCAL_PROVIDER = True
        result = call("edit", agent.token, guide=True, prompt="cat")
        assert result["structuredContent"]["data"]["missing_inputs"] == ["input"]


class TestMessage:
    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"{",
            b"\xff",
            b"[" * 100_000,
            b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "method": "tools/list"}',
            b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": NaN}}',
            b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "\\ud800"}}',
        ],
    )
    def test_one_that_is_not_strict_json_is_a_parse_error(self, db, raw):
        headers = {"Accept": EVERYTHING}

        response = Client().post("/mcp", raw, content_type="application/json", headers=headers)

        assert response.status_code == 400
        assert response.json()["error"]["code"] == -32700


class TestToken:
    @pytest.mark.parametrize("token", ["isk_r_unknown", ""])
    def test_a_wrong_one_is_401_with_the_way_to_the_metadata(self, ask, settings, token):
        response = ask("tools/list", token)

        assert response.status_code == 401
        assert response.json()["error"]["message"]
        challenge = response.headers["WWW-Authenticate"]
        assert challenge.startswith("Bearer ")
        assert f"{settings.PUBLIC_API_URL}/.well-known/oauth-protected-resource" in challenge

    def test_without_one_the_open_tools_work(self, call):
        assert call("models_list")["structuredContent"]["ok"]
        assert call("whoami")["structuredContent"]["error"]["code"] == "AUTH_REQUIRED"

    def test_the_right_one_works(self, call, agent):
        assert call("whoami", agent.token)["structuredContent"]["data"]["authenticated"]

    def test_a_slash_at_the_end_changes_nothing(self, ask):
        assert ask("tools/list", path="/mcp/").json()["result"]["tools"]


class TestDiscovery:
    @pytest.mark.parametrize("suffix", ["", "/mcp"])
    def test_metadata_names_the_resource_and_no_authorization_server(self, settings, suffix):
        response = Client().get(f"/.well-known/oauth-protected-resource{suffix}")

        document = response.json()
        assert document["resource"] == f"{settings.PUBLIC_API_URL}/mcp"
        assert document["bearer_methods_supported"] == ["header"]
        assert "authorization_servers" not in document

    @pytest.mark.parametrize(
        "path",
        [
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
            "/.well-known/anything/else",
            "/register",
        ],
    )
    def test_what_is_not_offered_is_404_in_json(self, path):
        for response in (Client().get(path), Client().post(path)):
            assert response.status_code == 404
            assert response.json()["error"] == "not_found"


class TestTools:
    def test_each_says_what_it_takes_and_answers(self, ask):
        tools = {tool["name"]: tool for tool in ask("tools/list").json()["result"]["tools"]}

        assert tools["create"]["inputSchema"]["required"] == ["prompt"]
        assert tools["edit"]["inputSchema"]["required"] == ["input"]
        assert all(tool["outputSchema"]["required"] for tool in tools.values())
        everything = json.dumps(list(tools.values()))
        for word in ("--", "config file", "image-skill ", "`", "standard input"):
            assert word not in everything

    def test_the_menu_of_models_is_small(self, call):
        result = call("models_list")

        assert results.size(result) < 20_000
        row = result["structuredContent"]["data"]["models"][0]
        assert {"id", "name", "makes", "credits", "available"} <= set(row)

    def test_every_list_is_within_the_size(self, call, agent):
        for name in ("capabilities_list", "jobs_list", "assets_list", "activity_list"):
            assert results.size(call(name, agent.token, limit=50)) < 100_000

    def test_a_refusal_names_the_tool_to_go_on_with(self, call, agent):
        result = call("create", agent.token, prompt="p", model="local.sketch", max_usd=0.000001)
        assert result["isError"]
        recovery = call("models_show", model_id="nobody.knows")["structuredContent"]["error"][
            "recovery"
        ]
        assert recovery["tool"] in {"models_list", "models_show"}
        assert "suggested_command" not in recovery

    def test_a_page_that_is_none_is_an_error_of_the_call(self, ask):
        answer = ask("tools/call", name="models_list", arguments={"limit": 1000}).json()
        assert "limit" in answer["error"]["message"]


class TestProgress:
    @pytest.fixture
    def slow(self, monkeypatch):
        """Let each call take half a second, and report ten times as often."""
        run = http.InProcessBackend.call

        def call(*arguments):
            time.sleep(0.5)
            return run(*arguments)

        monkeypatch.setattr(http.InProcessBackend, "call", call)
        monkeypatch.setattr(progress, "EVERY_S", 0.1)

    def test_is_sent_while_a_call_runs_to_who_asks_for_it(self, slow, ask):
        response = ask("tools/call", name="whoami", arguments={}, _meta={"progressToken": "mine"})

        assert response.headers["Content-Type"].startswith("text/event-stream")
        text = b"".join(response.streaming_content).decode()
        events = [json.loads(line[5:]) for line in text.splitlines() if line.startswith("data:")]
        *reports, answer = [event for event in events if event]
        assert len(reports) >= 2
        assert {report["method"] for report in reports} == {"notifications/progress"}
        assert {report["params"]["progressToken"] for report in reports} == {"mine"}
        amounts = [report["params"]["progress"] for report in reports]
        assert amounts == sorted(amounts)
        assert answer["result"]["structuredContent"]["error"]["code"] == "AUTH_REQUIRED"

    def test_an_error_comes_as_it_is(self, slow, ask):
        response = ask("tools/call", name="paint", arguments={}, _meta={"progressToken": 1})
        text = b"".join(response.streaming_content).decode()
        assert "Unknown tool." in text

    @pytest.mark.parametrize("changes", [{}, {"accept": "application/json"}])
    def test_others_get_json(self, slow, ask, changes):
        meta = {"_meta": {"progressToken": 1}} if changes else {}
        response = ask("tools/call", name="whoami", arguments={}, **meta, **changes)
        assert response.headers["Content-Type"].startswith("application/json")
        assert response.json()["result"]["isError"]
