from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError

from imageskill.dev.standins.faults import Fault
from tests.imageskill.cli.hosted import ASSET_ID, PNG, TOKEN
from tests.imageskill.web.mcp.talking import call, over_stdio, tools


class TestStdio:
    def test_lists_tools_for_files_too(self, client):
        names = over_stdio(client, tools)
        assert {"create", "upload", "assets_get", "credits_packs_list"} <= set(names)

    def test_a_result_is_the_envelope(self, client):
        result = over_stdio(client, call("whoami"))
        assert not result.is_error
        assert result.structured_content["command"] == "image-skill whoami"
        assert result.structured_content["data"]["authenticated"]

    def test_a_refusal_is_an_error_with_its_envelope(self, client):
        result = over_stdio(client, call("create"))
        assert result.is_error
        assert result.structured_content["error"]["code"] == "INVALID_ARGUMENTS"

    def test_local_pictures_are_uploaded_and_downloads_written(self, client, hosted):
        Path(client.home, "cat.png").write_bytes(PNG)
        over_stdio(client, call("edit", input="cat.png", prompt="p"))
        paths = [one.path for one in hosted.requests if one.method == "POST"]
        assert paths == ["/v1/upload", "/v1/edit"]
        over_stdio(client, call("assets_get", id=ASSET_ID, output="got.png"))
        assert Path(client.home, "got.png").read_bytes() == PNG

    def test_a_spend_that_was_cut_off_is_noted(self, client, hosted):
        hosted.faults.add(Fault(path="/v1/create", cut="after"))
        result = over_stdio(client, call("create", prompt="p"))
        assert result.structured_content["error"]["code"] == "HOSTED_API_REQUEST_FAILED"
        assert client("doctor").data["in_flight"]["count"] == 1

    def test_signing_up_keeps_the_token_out_of_the_answer(self, client):
        client.environment.pop("IMAGE_SKILL_TOKEN")
        arguments = {"agent": True, "agent_name": "n", "runtime": "r"}
        result = over_stdio(client, call("signup", **arguments))
        assert TOKEN not in str(result)
        assert TOKEN in client.config.read_text()

    def test_an_unknown_tool_is_no_tool(self, client):
        with pytest.raises((MCPError, BaseExceptionGroup)):
            over_stdio(client, call("paint"))
