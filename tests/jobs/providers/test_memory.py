"""What a picture of thirty megabytes costs the process that asks for it."""

import io
import json
import os
import subprocess
import sys
import textwrap
from base64 import b64encode
from pathlib import Path

import pytest
from PIL import Image

from imageskill.standins.messages import Answer

MOST_BYTES = 50_000_000  # of the 300 MB that a whole job may cost; decoding is a child's
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
    """A 4K PNG of noise, about thirty megabytes."""
    file = io.BytesIO()
    noise = Image.frombytes("RGB", (3840, 2160), os.urandom(3840 * 2160 * 3))
    noise.save(file, "PNG", compress_level=1)
    return file.getvalue() + bytes(5_000_000)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's figures")
@pytest.mark.parametrize(
    "model", ["openai.gpt-image-2", "xai.grok-imagine-image-quality", "fal.nano-banana-2"]
)
class TestMemory:
    def test_a_large_output_is_never_held_whole(self, providers, settings, large, model):
        usage = {"total_tokens": 1, "cost_in_usd_ticks": 1}
        body = {"data": [{"b64_json": b64encode(large).decode()}], "usage": usage}
        self.answers(providers, "LARGE", body, large)
        points_to = {
            name: getattr(settings, name)
            for name in ("FAL_QUEUE_BASE_URL", "OPENAI_BASE_URL", "XAI_BASE_URL")
        } | {"FAL_KEY": "k", "OPENAI_API_KEY": "k", "XAI_API_KEY": "k"}

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

    def answers(self, providers, word, body, large):
        """Answer orders that hold a word with a large picture."""
        plain = type(providers).answer

        def answer(request):
            if word.encode() in request.body and not request.path.startswith("/fal/"):
                return Answer(body)
            told = plain(providers, request)
            is_file = request.path.startswith("/fal/files/")
            last = [one for one in providers.requests if one.method == "POST"][-1]
            if is_file and word.encode() in last.body:
                return Answer(large, 200, {"Content-Type": "image/png"})
            return told

        providers.answer = answer

    @pytest.fixture(autouse=True)
    def _restored(self, providers):
        yield
        vars(providers).pop("answer", None)
