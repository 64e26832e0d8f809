"""Endpoints are driven with secrets; then logs, rows and answers are searched for them."""

import base64
import hashlib
import json
import logging

import pytest

from accounts import telemetry
from accounts.models import ActivityEvent, AuditLine, TelemetryRow
from tests.jobs.sample_images import noise

pytestmark = pytest.mark.django_db(transaction=True)

PROMPT = "a canary nobody may overhear, singing in cobalt"
KEY = "sk-canary00000000000000000000"
CARD = "4242424242424242"


class _Listener(logging.Handler):
    """Keeps every line as it is written."""

    def __init__(self):
        super().__init__(level=logging.DEBUG)
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


@pytest.fixture
def heard(settings):
    listener = _Listener()
    formatter = settings.LOGGING["formatters"]["lines"]
    arguments = {name: value for name, value in formatter.items() if name != "()"}
    listener.setFormatter(formatter["()"](**arguments))
    root = logging.getLogger()
    root.addHandler(listener)
    before, root.level = root.level, logging.DEBUG
    yield listener.lines
    root.level = before
    root.removeHandler(listener)


@pytest.fixture
def drive(api, agent, drain, settings):
    """Call every endpoint that takes anything, well and badly."""
    settings.CREATE_WAIT_S = 0
    image = noise(size=(400, 400))
    upload = {
        "source_kind": "local_path",
        "filename": "secret-name.png",
        "remote_origin": "https://private.example.com/path?token=abc",
        "mime_type": "image/png",
        "content_length": len(image),
        "sha256": hashlib.sha256(image).hexdigest(),
        "bytes_base64": base64.b64encode(image).decode(),
    }

    def run():
        token = agent.token
        answers = [
            api.post("/v1/create", token=token, json={"prompt": PROMPT, "model": "local.sketch"}),
            api.post("/v1/create", token=token, json={"prompt": PROMPT, "model": "nobody"}),
            api.post("/v1/create", token=token, json={"prompt": PROMPT, "dry_run": True}),
            api.post("/v1/create", token=token, json={"prompt": [PROMPT]}),
            api.post("/v1/upload", token=token, json=upload),
            api.post("/v1/upload", token=token, json=upload | {"sha256": "0" * 64}),
            api.post("/v1/feedback", token=token, json={"title": "x", "body": f"my key {KEY}"}),
            api.post("/v1/credit-quotes", token=token, json={"credits": 5, "card_number": CARD}),
            api.post("/v1/cli", token=token, json={"argv": ["create", "--prompt", PROMPT]}),
            api.post("/v1/agent-signups", json={"agent_name": PROMPT * 9, "runtime": KEY}),
            api.get("/v1/whoami", token=token),
            api.get("/v1/quota", token=token),
            api.get("/v1/whoami", token=token[:-1] + "#"),
        ]
        drain()
        answers += [api.get(f"/v1/{kind}", token=token) for kind in ("jobs", "assets", "activity")]
        job_id = answers[0].data["job_id"]
        asset_id = answers[4].data["asset"]["asset_id"]
        answers.append(api.get(f"/v1/jobs/{job_id}", token=token))
        answers.append(api.get(f"/v1/assets/{asset_id}", token=token))
        edit = {"input_asset_id": asset_id, "prompt": PROMPT, "accept_unknown_cost": True}
        answers.append(api.post("/v1/edit", token=token, json=edit))
        drain()
        telemetry.flush()
        return image, answers

    return run


class TestSecrets:
    def test_none_reaches_a_log_a_row_or_an_answer(self, heard, drive, agent):
        image, answers = drive()
        rows = [
            json.dumps([str(row.__dict__) for row in model.objects.all()])
            for model in (TelemetryRow, ActivityEvent, AuditLine)
        ]
        said = [json.dumps(answer.envelope) for answer in answers]
        everywhere = "\n".join([*heard, *rows, *said])
        assert TelemetryRow.objects.count() >= len(answers)
        secrets = {
            "prompt": PROMPT,
            "token": agent.token,
            "most of a token": agent.token[:-3],
            "key": KEY,
            "card": CARD,
            "base64": base64.b64encode(image).decode()[100:140],
            "path of a remote image": "token=abc",
        }
        found = {name for name, secret in secrets.items() if secret in everywhere}
        assert not found

    def test_the_listener_hears(self, heard):
        logging.getLogger("anything").warning("a line")
        assert any("a line" in line for line in heard)

    def test_tokens_are_struck_from_lines_that_hold_them(self, heard, agent):
        logging.getLogger("careless").warning("token %s", agent.token)
        assert not any(agent.token in line for line in heard)
