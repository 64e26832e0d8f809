"""What an image of thirty megabytes costs: the adapter that asks for it, and a whole job."""

import io
import json
import os
import subprocess
import sys
import textwrap
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection
from PIL import Image

from imageskill.dev.standins.messages import StandInResponse
from jobs.models import Asset, Job

MOST_BYTES = 50_000_000  # of what a whole job may cost; decoding is a child's
MOST_BYTES_OF_A_JOB = 300_000_000
USAGE = {"total_tokens": 1, "cost_in_usd_ticks": 1}
on_linux = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads Linux's figures"
)
PROGRAM = """
import json, os, pathlib, re, django
django.setup()
from django.conf import settings
for name, value in json.loads(os.environ["POINTS_TO"]).items():
    setattr(settings, name, value)
def peak_bytes():
    # Not ru_maxrss: it begins with what the parent had.
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024
from tests.jobs.providers.orders import order
from tests.jobs.providers.test_failures import run
small, large = order(os.environ["MODEL"]), order(os.environ["MODEL"], prompt="LARGE")
provider = small.model.provider
run(provider, small)
idle = peak_bytes()
outcome = run(provider, large)
print(json.dumps([outcome.outputs[0].content_length, peak_bytes() - idle]))
"""


@pytest.fixture(scope="module")
def large() -> bytes:
    """A 4K PNG of noise with transparency, about thirty megabytes."""
    file = io.BytesIO()
    noise = Image.frombytes("RGBA", (3840, 2160), os.urandom(3840 * 2160 * 4))
    noise.save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.fixture
def large_answers(providers, large):
    """Answer orders that hold the word LARGE with the large image."""
    plain = type(providers).answer
    body = {"data": [{"b64_json": b64encode(large).decode()}], "usage": USAGE}

    def answer(request):
        if b"LARGE" in request.body and not request.path.startswith("/fal/"):
            return StandInResponse(body)
        told = plain(providers, request)
        is_file = request.path.startswith("/fal/files/")
        last = [one for one in providers.requests if one.method == "POST"][-1]
        if is_file and b"LARGE" in last.body:
            return StandInResponse(large, 200, {"Content-Type": "image/png"})
        return told

    providers.answer = answer
    yield providers
    del providers.answer


@pytest.fixture
def points_to(settings, large_answers):
    """The settings of a process that asks the stand-ins."""
    urls = ("FAL_QUEUE_BASE_URL", "OPENAI_BASE_URL", "XAI_BASE_URL")
    keys = {"FAL_KEY": "k", "OPENAI_API_KEY": "k", "XAI_API_KEY": "k"}
    return {name: getattr(settings, name) for name in urls} | keys


@on_linux
@pytest.mark.parametrize(
    "model", ["openai.gpt-image-2", "xai.grok-imagine-image-quality", "fal.nano-banana-2"]
)
class TestMemory:
    def test_a_large_output_is_never_held_whole(self, points_to, large, model):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PROGRAM)],
            env=os.environ | {"MODEL": model, "POINTS_TO": json.dumps(points_to)},
            capture_output=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr.decode()[-2000:]
        content_length, cost = json.loads(done.stdout.splitlines()[-1])
        assert content_length == len(large) > 29_000_000
        assert cost < MOST_BYTES


@on_linux
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("model", "parameters"),
    [("openai.gpt-image-2", {"quality": "low", "size": "1024x1024"}), ("fal.nano-banana-2", {})],
)
class TestMemoryOfAJob:
    def test_call_decoding_storing_and_thumbnail_together(
        self, settings, points_to, large, api, agent, model, parameters
    ):
        settings.CREATE_WAIT_S = 0
        ask = {"model": model, "model_parameters": parameters}
        job_ids = [
            api.post("/v1/create", token=agent.token, json=ask | {"prompt": prompt}).data["job_id"]
            for prompt in ("a small one", "LARGE")
        ]

        done = subprocess.run(
            [sys.executable, "-m", "tests.jobs.one_job_measured", *job_ids],
            cwd=django_settings.BASE_DIR,
            env=os.environ | points_to | {"DATABASE_URL": self.database_url()},
            capture_output=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr.decode()[-2000:]
        cost = json.loads(done.stdout.splitlines()[-1])
        asset = Asset.objects.get(job__public_id=job_ids[1])
        assert [job.status for job in Job.objects.all()] == ["completed", "completed"]
        assert (asset.content_length, bool(asset.thumbnail_key)) == (len(large), True)
        assert cost["opening_bytes"] > 3840 * 2160 * 4  # it was seen at work
        assert cost["worker_bytes"] < MOST_BYTES
        assert cost["worker_bytes"] + cost["opening_bytes"] < MOST_BYTES_OF_A_JOB

    def database_url(self) -> str:
        """Name the tests' own database."""
        parts = urlsplit(os.environ["DATABASE_URL"])
        return urlunsplit(parts._replace(path="/" + connection.settings_dict["NAME"]))
