"""The public Node client against this server: `make contract-check NODE_CLIENT=folder`.

The folder holds one or more copies of the client, each with its `package.json` and
`bin/image-skill.mjs`; every version found there follows the first run unmodified.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.imageskill.cli.conftest import PROJECT
from tests.jobs.sample_images import noise
from tests.journeys.conftest import service
from tests.journeys.first_run import PROMPT, FirstRun, Outcome
from tests.live import Live

__all__ = ["service"]

pytestmark = [pytest.mark.by_hand, pytest.mark.live]

SLOWEST = 1.5  # times the Node client


def clients() -> list[Path]:
    folder = os.environ.get("NODE_CLIENT")
    scripts = sorted(Path(folder).glob("**/bin/image-skill.mjs")) if folder else []
    return [script.parents[1] for script in scripts if "node_modules" not in script.parts]


def version(client: Path) -> str:
    return json.loads((client / "package.json").read_text())["version"]


def is_later(client: Path) -> bool:
    return tuple(map(int, version(client).split("."))) > (0, 1, 9)


class Node:
    """The client in a home of its own, never on any server but ours."""

    def __init__(self, client: Path, home: Path, url: str) -> None:
        assert url.startswith("http://localhost:")
        self.command = ["node", str(client / "bin/image-skill.mjs")]
        self.home = home
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "IMAGE_SKILL_API_BASE_URL": url,
            "IMAGE_SKILL_CONFIG_PATH": str(home / "config.json"),
        }

    def __call__(self, words: list[str]) -> Outcome:
        done = subprocess.run(
            [*self.command, *words],
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            timeout=90,
            check=False,
        )
        return Outcome(done.returncode, json.loads(done.stdout))


@pytest.mark.skipif(not clients(), reason="NODE_CLIENT names no folder with a client")
class TestNodeClient:
    @pytest.mark.parametrize("client", clients(), ids=version)
    def test_follows_the_first_run_unmodified(self, service: Live, client: Path, tmp_path: Path):
        run = Node(client, tmp_path, service.url)
        agent = FirstRun(
            run, contact_flag="--human-email" if version(client) == "0.1.0" else "--agent-contact"
        )
        assert agent.ok("doctor --json")["hosted_api"]["reachable"]
        agent.signs_up()
        agent.ok("auth status --json")
        agent.looks_around()
        if version(client) != "0.1.0":
            agent.sees_the_ways_to_pay()
        agent.buys_by_stripe()
        agent.plans()
        made = agent.creates()
        asset = made["assets"][0]["asset_id"]
        agent.ok(f"assets get {asset} --output ./result.png --json")
        assert Path(tmp_path, "result.png").stat().st_size > 0
        agent.cites(made)
        agent.edits(asset)
        agent.refused(f"create --prompt '{PROMPT}' --json", "DAILY_JOB_LIMIT", 5)
        if not is_later(client):
            agent.buys_for_play()
            Path(tmp_path, "source.png").write_bytes(noise("PNG"))
            assert agent.ok("upload ./source.png --json")["asset"]["kind"] == "uploaded"
            agent.edits("./source.png")
        if is_later(client):
            self._later(agent)
        agent.reports()
        agent.refused("models show no.such-model --json", "NOT_FOUND", 1)
        agent.refused("jobs show job_nobodys --json", "NOT_FOUND", 1)

    def _later(self, agent: FirstRun) -> None:
        agent.ok("claim request --contact agent-ops@example.com --json")
        summary = agent.ok("models list --available --operation image.generate --json")["summary"]
        assert summary["result_shape"] == "compact_model_summary"
        guide = agent.ok(f"create --guide --prompt '{PROMPT}' --json")
        assert guide["checks"]["quota"]["authenticated"] is True
        assert guide["selection"]["model_id"]
        assert agent.ok("usage quota --json")["top_up"]["available"] is not None

    def test_ours_starts_as_fast(self, service: Live, tmp_path: Path, capsys):
        client = clients()[-1]
        ours = [sys.executable, "-m", "imageskill.cli"]
        node = Node(client, tmp_path, service.url)
        FirstRun(node).signs_up()
        environment = node.environment | {"PYTHONPATH": str(PROJECT)}
        with capsys.disabled():
            for words in (["version"], ["whoami", "--json"]):
                theirs_s = _median_s(lambda w=words: _run([*node.command, *w], environment))
                ours_s = _median_s(lambda w=words: _run([*ours, *w], environment))
                sys.stdout.write(
                    f"\n{words[0]}: ours {ours_s:.3f} s, {version(client)} {theirs_s:.3f} s"
                )
                assert ours_s <= SLOWEST * theirs_s


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, env=environment, capture_output=True, check=True)


def _median_s(run: Callable[[], None]) -> float:
    times = []
    for _ in range(11):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
