"""What becomes of work that was cut off: nothing is lost, nothing is paid twice."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.imageskill.cli.conftest import Client as Person
from tests.live import Live

pytestmark = pytest.mark.live

CREATE = ("create", "--prompt", "a cat & a dog", "--model", "local.sketch", "--json")


@pytest.fixture
def person(live: Live, tmp_path: Path) -> Person:
    someone = Person(tmp_path, live.url)
    del someone.environment["IMAGE_SKILL_TOKEN"]
    assert someone("signup", "--agent", "--agent-name", "n", "--runtime", "r").exit_code == 0
    return someone


class TestCutOff:
    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    def test_a_client_that_died_while_creating_finds_its_image(
        self, live: Live, person: Person, how: int
    ):
        live.worker.stop()  # so that there is no answer before the client dies
        notes = person.config.parent / "in-flight"
        process = subprocess.Popen(
            [sys.executable, "-m", "imageskill.cli", *CREATE],
            cwd=person.home,
            env=person.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # A test run in a shell's background hands on that it ignores Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        give_up_at = time.monotonic() + 20
        while not list(notes.glob("*.json")) and time.monotonic() < give_up_at:
            time.sleep(0.005)
        time.sleep(0.1)  # the request is on its way
        process.send_signal(how)
        process.wait(20)
        live.worker.start()

        (entry,) = person("doctor", "--json").data["in_flight"]["entries"]
        again = person(*shlex.split(entry["recover_command"])[1:])

        assert again.exit_code == 0, again.stdout
        assert again.data["job"]["status"] == "completed"
        assert person("doctor", "--json").data["in_flight"]["count"] == 0
        assert len(person("jobs", "list").data["jobs"]) == 1
        quota = person("quota").data
        spent = again.data["cost"]["credit_pricing"]["credits_required"]
        assert quota["limits"]["remaining_credits"] == 40 - spent
        assert quota["daily_jobs"]["used"] == 1

    def test_the_same_key_gives_the_same_job_for_one_price(self, person: Person):
        first, second = (person(*CREATE, "--idempotency-key", "k") for _ in range(2))
        assert first.data["job_id"] == second.data["job_id"]
        assert len(person("jobs", "list").data["jobs"]) == 1

    def test_a_picture_that_is_too_large_is_refused_in_an_envelope(self, person: Person):
        head = b"\x89PNG\r\n\x1a\n"
        Path(person.home, "big.png").write_bytes(head + os.urandom(24_000_000))
        run = person("upload", "big.png", "--json")
        assert run.exit_code in {2, 6}, run.stdout
        assert run.error["code"] in {"INVALID_ARGUMENTS", "INPUT_POLICY_DENIED"}
        assert json.loads(run.stdout)["command"] == "image-skill upload"
