import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imageskill.dev.standins.faults import Fault
from jobs.images import formats
from tests.imageskill.cli.hosted import ASSET_ID, PNG
from tests.jobs.sample_images import noise

MEGABYTE = 2**20
MOST_MEMORY = 100 * MEGABYTE

# Runs the client and tells the most memory it held, in KiB.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "imageskill.cli", *sys.argv[1:]], capture_output=True)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def most_memory(client, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments],
        capture_output=True,
        text=True,
        cwd=client.home,
        env=client.environment,
        check=True,
    )
    exit_code, kibibytes = map(int, done.stdout.split())
    assert exit_code == 0
    return kibibytes * 1024


@pytest.fixture
def image(client) -> Path:
    file = client.home / "cat.png"
    file.write_bytes(PNG)
    return file


class TestUpload:
    def test_sends_what_the_server_needs_to_check(self, client, image, last_body):
        assert client("upload", "cat.png", "--json").exit_code == 0
        body = last_body()
        assert base64.b64decode(body.pop("bytes_base64")) == PNG
        assert body == {
            "source_kind": "local_path",
            "filename": "cat.png",
            "remote_origin": None,
            "mime_type": "image/png",
            "content_length": len(PNG),
            "sha256": hashlib.sha256(PNG).hexdigest(),
        }

    def test_the_type_is_what_the_bytes_say(self, client, last_body):
        Path(client.home, "cat.png").write_bytes(b"\xff\xd8\xff\xe0" + b"0" * 50)
        client("upload", "cat.png")
        assert last_body()["mime_type"] == "image/jpeg"

    @pytest.mark.parametrize("kind", formats.FORMATS, ids=lambda kind: kind.extension)
    def test_takes_whatever_the_server_takes(self, client, last_body, kind):
        Path(client.home, "image").write_bytes(noise(kind.pillow_name))
        assert client("upload", "image").exit_code == 0
        assert last_body()["mime_type"] == kind.mime_type

    def test_a_url_is_fetched_here_and_only_its_origin_told(self, client, hosted, last_body):
        client("upload", f"{hosted.base_url}/a/cat.png?secret=1")
        body = last_body()
        assert body["source_kind"] == "remote_url"
        assert body["filename"] == "cat.png"
        assert body["remote_origin"] == hosted.base_url
        fetch = next(one for one in hosted.requests if one.path == "/a/cat.png")
        assert "authorization" not in fetch.headers

    def test_files_that_are_no_pictures_stay_here(self, client, hosted):
        Path(client.home, "key.png").write_text("-----BEGIN PRIVATE KEY-----")
        run = client("upload", "key.png")
        assert (run.exit_code, run.error["code"]) == (6, "INPUT_POLICY_DENIED")
        assert not hosted.requests

    def test_a_missing_file_is_an_argument(self, client):
        assert client("upload", "nothing.png").error["code"] == "INVALID_ARGUMENTS"

    def test_holds_little_memory(self, client):
        Path(client.home, "big.png").write_bytes(PNG[:8] + os.urandom(20 * MEGABYTE))
        assert most_memory(client, "upload", "big.png", "--json") < MOST_MEMORY


class TestAssetsGet:
    def get(self, client, *arguments):
        return client("assets", "get", ASSET_ID, *arguments, "--json")

    def test_writes_the_picture_and_says_so(self, client):
        run = self.get(client, "--output", "out/cat.png")
        assert Path(client.home, "out/cat.png").read_bytes() == PNG
        assert run.data["download"]["bytes"] == len(PNG)

    def test_makes_a_name_from_the_asset(self, client):
        assert self.get(client).data["download"]["output_path"] == f"{ASSET_ID}.png"

    def test_sends_no_token_to_the_media_server(self, client, hosted):
        self.get(client)
        assert "authorization" not in hosted.requests[-1].headers

    def test_never_overwrites_unless_told_to(self, client):
        target = Path(client.home, "mine.png")
        target.write_text("mine")
        run = self.get(client, "--output", "mine.png")
        assert (run.exit_code, run.error["code"]) == (9, "OUTPUT_EXISTS")
        assert target.read_text() == "mine"
        assert self.get(client, "--output", "mine.png", "--overwrite").exit_code == 0
        assert target.read_bytes() == PNG

    def test_another_picture_than_was_stored_is_refused(self, client, hosted):
        hosted.sha256 = "0" * 64
        run = self.get(client, "--output", "cat.png")
        assert run.error["code"] == "ASSET_DOWNLOAD_FAILED"
        assert list(client.home.iterdir()) == []

    def test_a_download_that_breaks_off_leaves_nothing(self, client, hosted):
        hosted.faults.add(Fault(path="/a/", cut="within"))
        assert self.get(client, "--output", "cat.png").exit_code == 7
        assert list(client.home.iterdir()) == []

    def test_a_download_that_is_stopped_leaves_nothing(self, client, hosted):
        hosted.image = PNG * 400
        hosted.faults.add(Fault(path="/a/", pause_s=20))
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "imageskill.cli",
                "assets",
                "get",
                ASSET_ID,
                "--output",
                "c.png",
            ],
            cwd=client.home,
            env=client.environment,
        )
        deadline = time.monotonic() + 20
        while not list(client.home.glob(".c.png.*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143
        assert list(client.home.iterdir()) == []

    def test_holds_little_memory(self, client, hosted):
        hosted.image = PNG[:8] + os.urandom(40 * MEGABYTE)
        hosted.sha256 = hashlib.sha256(hosted.image).hexdigest()
        used = most_memory(client, "assets", "get", ASSET_ID, "--output", "4k.png")
        assert used < MOST_MEMORY


class TestEdit:
    def test_local_pictures_are_uploaded_first_and_each_once(self, client, hosted, image):
        line = ("edit", "--input", "cat.png", "--mask", "cat.png", "--prompt", "p")
        assert client(*line, "--reference-image", "cat.png@0").exit_code == 0
        assert [one.path for one in hosted.requests] == ["/v1/upload", "/v1/edit"]
        body = json.loads(hosted.requests[-1].body)
        assert body["input_asset_id"] == body["mask_asset_id"] == ASSET_ID
        assert body["references"] == [{"asset_id": ASSET_ID, "role": "reference_image", "index": 0}]
        assert body["aspect_ratio"] == "auto"

    def test_an_asset_is_taken_as_it_is(self, client, hosted):
        client("edit", "--input-asset-id", ASSET_ID, "--prompt", "p")
        assert [one.path for one in hosted.requests] == ["/v1/edit"]

    def test_a_refused_upload_is_the_answer(self, client, hosted, image):
        error = {"ok": False, "error": {"code": "INPUT_POLICY_DENIED"}, "warnings": []}
        hosted.faults.add(
            Fault(
                path="/v1/upload",
                status=415,
                body=error,
                headers={"x-image-skill-exit-code": "6"},
            )
        )
        run = client("edit", "--input", "cat.png", "--prompt", "p")
        assert run.exit_code == 6
        assert run.envelope["command"] == "image-skill edit"
