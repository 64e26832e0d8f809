"""The first run of the published contract by command line, over HTTP and by MCP."""

from pathlib import Path

import httpx
import pytest

from imageskill.cli.grammar import reading
from imageskill.web.mcp import tools
from tests.imageskill.cli.conftest import Client as Person
from tests.imageskill.web.mcp.talking import call, over_http
from tests.jobs.sample_images import noise
from tests.journeys.first_run import PROMPT, FirstRun, Outcome
from tests.live import Live

pytestmark = pytest.mark.live


class TestByCommandLine:
    def test_follows_the_contract(self, service: Live, tmp_path: Path):
        person = Person(tmp_path, service.url)
        del person.environment["IMAGE_SKILL_TOKEN"]

        def run(words: list[str]) -> Outcome:
            done = person(*words)
            return Outcome(done.exit_code, done.envelope)

        agent = FirstRun(run)
        assert agent.ok("doctor --json")["hosted_api"]["reachable"]
        agent.signs_up()
        assert agent.ok("auth status --json")["auth_source"] == "config"
        agent.looks_around()
        agent.sees_the_ways_to_pay()
        agent.buys_by_stripe()
        agent.plans()
        made = agent.creates()
        asset = made["assets"][0]
        got = agent.ok(f"assets get {asset['url']} --output ./result.png --json")
        assert Path(tmp_path, "result.png").stat().st_size == got["download"]["bytes"]
        agent.refused(f"assets get {asset['asset_id']} --output ./result.png", "OUTPUT_EXISTS", 9)
        agent.cites(made)
        agent.edits(asset["asset_id"])
        agent.refused(f"create --prompt '{PROMPT}' --json", "DAILY_JOB_LIMIT", 5)
        agent.buys_for_play()
        Path(tmp_path, "source.png").write_bytes(noise("PNG"))
        assert agent.ok("upload ./source.png --json")["asset"]["kind"] == "uploaded"
        agent.edits("./source.png")
        agent.reports()
        assert agent.ok("doctor --json")["in_flight"]["count"] == 0


class TestByPost:
    def test_follows_the_contract(self, service: Live):
        headers: dict[str, str] = {}

        def run(words: list[str]) -> Outcome:
            response = httpx.post(
                f"{service.url}/v1/cli", json={"argv": words}, headers=headers, timeout=90
            )
            exit_code = int(response.headers["x-image-skill-exit-code"])
            outcome = Outcome(exit_code, response.json())
            if words[0] == "signup" and outcome.envelope["ok"]:
                headers["Authorization"] = f"Bearer {outcome.data['token']}"
            return outcome

        agent = FirstRun(run, save_flags="")
        agent.refused("doctor --json", "INVALID_ARGUMENTS", 2)
        _follow(agent)


class TestByMcp:
    def test_follows_the_contract(self, service: Live):
        token: list[str] = []

        def run(words: list[str]) -> Outcome:
            given = reading.parse(words)
            arguments = {
                tools.field_name(given.command.named(name)): value
                for name, value in given.given.items()
                if name != "json"
            }
            script = call(tools.tool_name(given.command), **arguments)
            result = over_http(service.url, script, token=token[0] if token else None)
            envelope = {"error": None} | result.structured_content  # without what is null
            if words[0] == "signup":
                token.append(envelope["data"]["token"])
            return Outcome(0 if envelope["ok"] else 1, envelope)

        _follow(FirstRun(run, save_flags=""))


def _follow(agent: FirstRun) -> None:
    agent.signs_up()
    agent.looks_around()
    agent.sees_the_ways_to_pay()
    agent.buys_by_stripe()
    agent.plans()
    made = agent.creates()
    agent.cites(made)
    agent.edits(made["asset_ids"][0])
    agent.buys_for_play()
    agent.reports()
