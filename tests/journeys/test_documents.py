"""Every example in the published documents, run in a shell against a running server."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from imageskill.dev.standins.server import serve
from imageskill.dev.standins.stripe import StripeStandIn
from tests.imageskill.cli.conftest import PROJECT
from tests.jobs.sample_images import noise
from tests.live import Live

pytestmark = pytest.mark.live

# What an example can't come to: a job that is over can't be canceled.
REFUSED = {"jobs cancel": 409}
WORDS = {
    "INBOX": "agent-ops@example.com",
    "NAME": "creative-agent",
    "RUNTIME": "codex",
    "PROMPT": "'A compact field camera'",
    "TITLE": "'Short concrete title'",
    "BODY": "'What happened, and why it matters'",
    "MODEL_ID": "local.sketch",
}


@pytest.fixture
def service(launch: Callable[..., Live]) -> Iterator[Live]:
    """An installation that lets one agent try everything in a day."""
    with serve(StripeStandIn()) as stripe:
        yield launch(
            STRIPE_API_BASE_URL=stripe,
            STRIPE_SECRET_KEY="sk_test_standin",
            STRIPE_WEBHOOK_SECRET="whsec_for_tests",
            PREVIEW_CREDITS="1000",
            DAILY_JOBS_PREVIEW="100",
        )


class Reader:
    """Somebody who types in what a document shows, with the ids that came of it."""

    def __init__(self, home: Path, url: str) -> None:
        home.mkdir()
        self.home = home
        shim = home / "bin" / "image-skill"
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m imageskill.cli "$@"\n')
        shim.chmod(0o755)
        (home / "source.png").write_bytes(noise("PNG"))
        (home / ".config/fish/completions").mkdir(parents=True)
        self.ids = dict(WORDS)
        self.environment = {
            "PATH": f"{shim.parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "PYTHONPATH": str(PROJECT),
            "IMAGE_SKILL_API_BASE_URL": url,
        }

    def run(self, words: list[str]) -> str:
        """Run a program that must succeed, and give what it prints."""
        done = self._run(words)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def _run(self, words: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            words,
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def type(self, line: str) -> None:
        """Run a line; what it prints must be a success, or the refusal that it is known for."""
        (self.home / "result.png").unlink(missing_ok=True)
        typed = re.sub(r"\b[A-Z]+(?:_[A-Z]+)*\b", self._id, line)
        done = self._run(["bash", "-c", typed])
        shown = f"{typed}\n{done.stdout}\n{done.stderr}"
        if not done.stdout.startswith("{"):
            assert done.returncode == 0, shown
            return
        envelope = json.loads(done.stdout)
        if any(f"image-skill {name} " in line for name in REFUSED):
            assert envelope["error"], shown
            return
        assert done.returncode == 0, shown
        if "/openai/v1/" in line:
            assert envelope["data"][0]["url"], shown
            return
        assert envelope["ok"], shown
        self._learn(line, envelope)

    def _id(self, match: re.Match[str]) -> str:
        name = match[0]
        if name == "QUOTE_ID":
            return self.ids["QUOTE_OF_STRIPE" if " buy " in match.string else "QUOTE_OF_FAKE"]
        return self.ids.get(name, name)

    def _learn(self, line: str, envelope: dict[str, Any]) -> None:
        data = envelope["data"]
        self.ids["TRACE_ID"] = envelope["trace_id"]
        if "signup" in line:
            config = json.loads((self.home / ".config/image-skill/config.json").read_text())
            self.environment["IMAGE_SKILL_TOKEN"] = config["token"]
        if data.get("accepted_payment_method") and data.get("quote_id"):
            stripe = data["accepted_payment_method"] == "stripe_checkout"
            self.ids["QUOTE_OF_STRIPE" if stripe else "QUOTE_OF_FAKE"] = data["quote_id"]
        for name in ("job_id", "payment_attempt_id", "feedback_id"):
            if isinstance(data.get(name), str):
                self.ids[name.upper()] = data[name]
        assets = data.get("assets") or [data.get("asset")]
        if " create " in line and assets and assets[0]:
            self.ids["ASSET_ID"] = assets[0]["asset_id"]


def examples(text: str) -> list[str]:
    lines = [line for block in blocks(text, "bash") for line in block.splitlines()]
    steps = re.findall(r"^\d+\. (image-skill .*)$", text, flags=re.MULTILINE)
    return [line for line in [*steps, *lines] if line.strip()]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def test_every_example_works(service: Live, tmp_path: Path):
    for document, fewest in (("skill.md", 25), ("cli.md", 35), ("llms.txt", 20), ("agents.md", 9)):
        text = httpx.get(f"{service.url}/{document}").text
        lines = examples(text)
        assert len(lines) >= fewest
        reader = Reader(tmp_path / document, service.url)
        # A reference goes by topic, so what its examples speak of has to be there before.
        reader.type("image-skill signup --agent --agent-name first --runtime shell --json")
        for line in lines:
            reader.type(line)
            if " signup " in line:
                reader.type("image-skill feedback create --title first --json")
        for program in blocks(text, "python"):
            assert reader.run([sys.executable, "-c", program]).startswith(f"{service.url}/a/image_")


def test_the_envelopes_of_the_contract_are_those_of_the_server(live: Live):
    text = httpx.get(f"{live.url}/llms.txt").text
    success, failure = (
        json.loads(one) for one in re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    )
    body = {"agent_name": "n", "runtime": "r"}
    token = live.post("/v1/agent-signups", json=body).data["token"]
    real = live.get("/v1/whoami", token=token).envelope
    assert list(real) == list(success)
    assert set(real["actor"]) == set(success["actor"])
    refused = live.get("/v1/whoami").envelope
    assert list(refused) == list(failure)
    assert {name: refused[name] for name in ("ok", "command", "data", "actor")} == {
        name: failure[name] for name in ("ok", "command", "data", "actor")
    }
    assert set(failure["error"]) <= set(refused["error"])
    assert failure["error"]["code"] == refused["error"]["code"]
