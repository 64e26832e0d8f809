import base64

import httpx
import pytest

from imageskill.web.mcp import results
from tests.imageskill.web.mcp.talking import call, over_http, tools
from tests.jobs.sample_images import noise

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}


@pytest.mark.live
class TestHttp:
    @pytest.fixture
    def token(self, live):
        body = {"agent_name": "n", "runtime": "r"}
        return live.post("/v1/agent-signups", json=body).data["token"]

    def test_lists_the_tools_without_a_token(self, live):
        found = over_http(live.url, tools)
        assert "local.sketch" in found["create"].input_schema["properties"]["model"]["enum"]

    def test_tokens_quotas_and_envelopes_are_the_apis(self, live, token):
        result = over_http(live.url, call("usage_quota"), token=token)
        answer = live.get("/v1/quota", token=token)
        assert result.structured_content["data"]["limits"] == answer.data["limits"]
        assert result.structured_content["actor"] == answer.envelope["actor"]

    def test_without_a_token_the_envelope_says_so(self, live):
        result = over_http(live.url, call("whoami"))
        assert result.is_error
        assert result.structured_content["error"]["code"] == "AUTH_REQUIRED"

    def test_a_picture_comes_as_link_and_inline(self, live, token):
        plain = {"grain": 0}  # so that it is small
        arguments = {"prompt": "blue", "model": "local.sketch", "model_parameters": plain}
        result = over_http(live.url, call("create", **arguments), token=token)
        assert not result.is_error, result.structured_content
        asset = result.structured_content["data"]["assets"][0]
        kinds = {one.type: one for one in result.content}
        assert kinds["resource_link"].uri == asset["url"]
        inline = base64.b64decode(kinds["image"].data)
        assert 0 < len(inline) <= results.MAX_INLINE_BYTES

    def test_small_pictures_can_be_uploaded(self, live, token):
        data = base64.b64encode(noise("PNG")).decode()
        result = over_http(live.url, call("upload", bytes_base64=data), token=token)
        assert not result.is_error, result.structured_content
        refused = over_http(live.url, call("upload", bytes_base64="no"), token=token)
        assert refused.structured_content["error"]["code"] in {
            "INPUT_POLICY_DENIED",
            "INVALID_ARGUMENTS",
        }

    def test_files_of_the_server_stay_out_of_reach(self, live, token):
        result = over_http(live.url, call("edit", input="/etc/passwd", prompt="p"), token=token)
        assert result.structured_content["error"]["code"] == "INVALID_ARGUMENTS"

    def test_keeps_no_session(self, live):
        headers = {"accept": "application/json, text/event-stream"}
        first = httpx.post(f"{live.url}/mcp", json=INITIALIZE, headers=headers)
        assert first.status_code == 200
        assert first.headers["content-type"].startswith("application/json")
        assert "mcp-session-id" not in first.headers
        again = INITIALIZE | {"method": "tools/list", "params": {}}
        assert httpx.post(f"{live.url}/mcp", json=again, headers=headers).json()["result"]["tools"]

    def test_opens_no_stream(self, live):
        assert httpx.get(f"{live.url}/mcp").status_code == 405
        assert httpx.delete(f"{live.url}/mcp").status_code == 405
