"""`image-skill mcp` of the downloaded client: lines in, the server's answers out as lines."""

import io
import json

import pytest

from imageskill.cli.grammar import reading
from imageskill.cli.session import Session
from imageskill.cli.transport.mcp_bridge import Bridge
from imageskill.dev.standins.messages import StandInResponse
from tests.imageskill.cli.hosted import TOKEN, refusal

PING = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
PONG = {"jsonrpc": "2.0", "id": 7, "result": {}}


@pytest.fixture
def answers(hosted, tmp_path):
    """What comes out for the lines that go in."""

    def run(*lines, reply=None, token=TOKEN):
        if reply is not None:
            hosted.route("POST", "/mcp")(lambda _: reply)
        environment = {"IMAGE_SKILL_API_BASE_URL": hosted.base_url, "HOME": str(tmp_path)}
        environment |= {"IMAGE_SKILL_CONFIG_PATH": str(tmp_path / "config.json")}
        session = Session(
            reading.parse(["mcp"]), environment | ({"IMAGE_SKILL_TOKEN": token} if token else {})
        )
        incoming = io.BytesIO(b"".join(_line(one) for one in lines))
        outgoing = io.BytesIO()
        Bridge(session, incoming, outgoing).serve()
        return [json.loads(line) for line in outgoing.getvalue().splitlines()]

    return run


def _line(message):
    return message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n"


class TestBridge:
    def test_carries_a_message_with_the_token(self, answers, hosted):
        assert answers(PING, reply=StandInResponse(PONG)) == [PONG]
        assert hosted.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"
        assert hosted.requests[-1].json == PING

    def test_progress_comes_before_the_result(self, answers):
        progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}
        stream = f"event: message\ndata: {json.dumps(progress)}\n\ndata: {json.dumps(PONG)}\n\n"
        reply = StandInResponse(stream.encode(), headers={"Content-Type": "text/event-stream"})
        assert answers(PING, reply=reply) == [progress, PONG]

    def test_a_notification_has_no_answer(self, answers):
        message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        assert answers(message, reply=StandInResponse(b"", 202)) == []

    def test_a_refusal_of_the_server_answers_the_message(self, answers):
        reply = refusal("AUTH_REQUIRED", status=401, exit_code=3)
        (answer,) = answers(PING, reply=reply, token="isk_r_wrong")
        assert answer["id"] == 7
        assert answer["error"]["message"] == "No."

    def test_what_is_no_json_is_told(self, answers, hosted):
        (answer,) = answers(b"hello\n", b"\n")
        assert answer["error"]["code"] == -32700
        assert not hosted.requests

    def test_works_without_a_token(self, answers, hosted):
        assert answers(PING, reply=StandInResponse(PONG), token=None) == [PONG]
        assert "authorization" not in hosted.requests[-1].headers
