import json
import shlex
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imageskill.dev.standins.faults import Fault
from tests.imageskill.cli.hosted import JOB_ID, PNG, envelope, refusal

CREATE = ("create", "--prompt", "a cat & a dog", "--intent", "explore")


@pytest.fixture
def open_spends(client):
    return lambda: client("doctor", "--json").data["in_flight"]["entries"]


def fail_with(hosted, answer, *, cut=""):
    body, headers = answer.body, dict(answer.headers)
    hosted.faults.add(
        Fault(path="/v1/(create|edit)", status=answer.status, body=body, headers=headers, cut=cut)
    )


class TestLiveSpend:
    def test_carries_a_key_and_leaves_nothing_open(self, client, last_body, open_spends):
        run = client(*CREATE, "--json")
        assert run.exit_code == 0
        assert last_body()["idempotency_key"].startswith("create-")
        assert open_spends() == []

    def test_says_its_key_on_stderr(self, client):
        assert "k1" in client(*CREATE, "--idempotency-key", "k1").stderr

    def test_a_dry_run_is_no_spend(self, client, last_body):
        run = client(*CREATE, "--dry-run", IMAGE_SKILL_TOKEN=None)
        assert run.exit_code == 0
        assert "idempotency_key" not in last_body()
        assert run.stderr == ""

    def test_the_note_is_there_while_the_request_runs(self, client, hosted):
        folder = client.config.parent / "in-flight"
        hosted.watch = lambda: [json.loads(file.read_text()) for file in folder.glob("*.json")]
        client(*CREATE)
        assert [one["operation"] for one in hosted.seen] == ["create"]
        assert list(folder.iterdir()) == []

    def test_a_guide_fills_in_what_only_the_caller_has(self, client, hosted, open_spends):
        run = client("edit", "--guide", "--input", "a.png", "--prompt", "a cat & a dog", "--json")

        assert run.exit_code == 0
        assert shlex.split(run.data["next_command"])[2:-1] == [
            *("--input", "a.png", "--prompt", "a cat & a dog"),
        ]
        assert run.data["missing_inputs"] == []
        assert run.data["next_command_copy_runnable"] is True
        assert open_spends() == []

    def test_a_guide_leaves_open_what_the_caller_did_not_give(self, client):
        data = client("edit", "--guide", "--json").data

        assert data["missing_inputs"] == ["input"]
        assert data["next_command_copy_runnable"] is False

    def test_prompt_files_are_read(self, client, last_body):
        Path(client.home, "prompt.md").write_text("from a file\n")
        client("create", "--prompt-file", "prompt.md")
        assert last_body()["prompt"] == "from a file"


class TestOutputFile:
    def test_the_images_are_saved_beside_one_another(self, client, hosted):
        hosted.images = 2
        run = client(*CREATE, "--output-count", "2", "--output", "made/cat.png")
        assert [one["output_path"] for one in run.data["downloads"]] == [
            "made/cat.png",
            "made/cat-2.png",
        ]
        assert Path(client.home, "made/cat-2.png").read_bytes() == PNG

    def test_a_file_that_is_there_stops_it_before_it_costs_anything(self, client, hosted):
        Path(client.home, "cat.png").write_text("mine")
        run = client(*CREATE, "--output", "cat.png")
        assert (run.exit_code, run.error["code"]) == (9, "OUTPUT_EXISTS")
        assert not hosted.requests
        assert client(*CREATE, "--output", "cat.png", "--overwrite").exit_code == 0

    def test_a_download_that_fails_tells_what_was_charged(self, client, hosted, open_spends):
        hosted.faults.add(Fault(path="/a/", cut="before"))
        run = client(*CREATE, "--output", "cat.png")
        assert (run.exit_code, run.error["code"]) == (7, "ASSET_DOWNLOAD_FAILED")
        assert JOB_ID in run.error["message"]
        assert open_spends() == []
        again = shlex.split(run.error["recovery"]["suggested_command"])
        assert client(*again[1:]).exit_code == 0
        assert Path(client.home, "cat.png").read_bytes() == PNG

    def test_a_job_that_still_runs_has_nothing_to_save(self, client, hosted):
        running = {"job_id": JOB_ID, "job": {"job_id": JOB_ID, "status": "running"}}
        fail_with(hosted, envelope(running, status=202))
        run = client(*CREATE, "--output", "cat.png")
        assert run.exit_code == 0
        assert f"jobs wait {JOB_ID}" in run.envelope["warnings"][0]

    def test_a_dry_run_saves_nothing(self, client):
        assert client(*CREATE, "--dry-run", "--output", "cat.png").exit_code == 0
        assert not Path(client.home, "cat.png").exists()


class TestOpenSpend:
    def test_an_answer_that_nobody_could_read_stays_open(self, client, hosted, open_spends):
        line = shlex.join([sys.executable, "-m", "imageskill.cli", *CREATE]) + " >/dev/full"
        done = subprocess.run(
            ["bash", "-c", line],
            env=client.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 9
        assert f"image-skill jobs show {JOB_ID}" in done.stderr
        first = hosted.requests[-1].json
        (entry,) = open_spends()
        assert client(*shlex.split(entry["recover_command"])[1:]).exit_code == 0
        assert hosted.requests[-1].json == first
        assert open_spends() == []

    def test_an_answer_that_never_came_stays_open_with_its_command(
        self, client, hosted, open_spends
    ):
        hosted.faults.add(Fault(path="/v1/create", cut="after"))
        run = client(*CREATE, "--json")
        assert run.error["code"] == "HOSTED_API_REQUEST_FAILED"
        (entry,) = open_spends()
        assert run.error["recovery"]["idempotency_key"] == entry["idempotency_key"]
        first = json.loads(next(one.body for one in hosted.requests if one.path == "/v1/create"))
        again = client(*shlex.split(entry["recover_command"])[1:])
        assert again.exit_code == 0
        assert json.loads(hosted.requests[-1].body) == first
        assert open_spends() == []

    def test_recovering_an_edit_names_the_asset_that_was_uploaded(
        self, client, hosted, open_spends
    ):
        Path(client.home, "cat.png").write_bytes(PNG)
        hosted.faults.add(Fault(path="/v1/edit", cut="after"))
        client("edit", "--input", "cat.png", "--prompt", "p")
        first = json.loads(hosted.requests[-1].body)
        (entry,) = open_spends()
        client(*shlex.split(entry["recover_command"])[1:])
        assert json.loads(hosted.requests[-1].body) == first
        assert sum(one.path == "/v1/upload" for one in hosted.requests) == 1

    def test_the_note_is_private_and_holds_no_token(self, client, hosted):
        hosted.faults.add(Fault(path="/v1/create", cut="after"))
        client(*CREATE, "--token", "isk_r_secret")
        (file,) = (client.config.parent / "in-flight").iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "isk_r_" not in file.read_text()

    def test_a_job_that_still_runs_is_waited_for(self, client, hosted, open_spends):
        running = {"job_id": JOB_ID, "job": {"job_id": JOB_ID, "status": "running"}}
        fail_with(hosted, envelope(running, status=202))
        run = client(*CREATE)
        assert run.exit_code == 0
        (entry,) = open_spends()
        assert entry["recover_command"].startswith(f"image-skill jobs wait {JOB_ID}")
        client("jobs", "wait", JOB_ID, "--poll-interval-ms", "50")
        assert open_spends() == []

    @pytest.mark.parametrize(
        ("answer", "is_open"),
        [
            (refusal("QUOTA_EXCEEDED", status=402, exit_code=5), False),
            (refusal("RATE_LIMITED", status=429, exit_code=5, retryable=True), False),
            (refusal("PROVIDER_FAILURE", status=502, exit_code=7, retryable=True), False),
            (refusal("TIMEOUT", status=504, exit_code=8, retryable=True), True),
            (refusal("INTERNAL_ERROR", status=500, exit_code=1), True),
            (refusal("ARTIFACT_STORAGE_WRITE_FAILED", status=507, exit_code=9), True),
            (refusal("PROVIDER_OUTCOME_UNKNOWN", status=502, exit_code=7), True),
        ],
    )
    def test_a_refusal_closes_it_and_an_unknown_fate_does_not(
        self, client, hosted, open_spends, answer, is_open
    ):
        fail_with(hosted, answer)
        client(*CREATE)
        assert bool(open_spends()) is is_open

    def test_old_notes_go_when_asked(self, client, hosted, open_spends):
        hosted.faults.add(Fault(path="/v1/create", cut="after"))
        client(*CREATE)
        assert client("doctor", "--sweep-in-flight").data["in_flight"]["swept_count"] == 0
        (file,) = (client.config.parent / "in-flight").iterdir()
        document = json.loads(file.read_text())
        file.write_text(json.dumps(document | {"started_at_s": time.time() - 90_000}))
        assert client("doctor", "--sweep-in-flight").data["in_flight"]["swept_count"] == 1

    def test_a_folder_that_cannot_be_written_does_not_stop_the_work(self, client):
        Path(client.home, "config").write_text("in the way")
        run = client(*CREATE, "--idempotency-key", "k1")
        assert run.exit_code == 0
        assert "k1" in run.stderr
