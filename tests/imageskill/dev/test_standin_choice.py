"""Where stand-ins make the images every answer says so, and they stand beside no real key."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

NO_KEYS = {"FAL_KEY": "", "FAL_KEY_ID": "", "FAL_KEY_SECRET": "", "OPENAI_API_KEY": ""}
CALLS = """
import json, django
django.setup()
from tests.caller import Caller
api = Caller()
answers = {
    "a success": api.get("/healthz"),
    "a refusal": api.get("/v1/whoami"),
    "no route": api.get("/v1/nothing-here"),
    "wrong method": api.post("/v1/whoami"),
    "no json": api.post("/v1/agent-signups", raw=b"{"),
    "too large": api.post("/v1/agent-signups", raw=b" " * 1_000_001),
    "NUL": api.get("/v1/whoami%00"),
}
print(json.dumps({name: [it.status, it.envelope["warnings"]] for name, it in answers.items()}))
"""


def run(program: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, with settings of its own."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env=os.environ | NO_KEYS | {"DJANGO_SETTINGS_MODULE": "imageskill.settings"} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def stopped(**env: str) -> str:
    """Load the settings; give what stopped them."""
    done = run("import imageskill.settings", **env)
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


def warnings(**env: str) -> dict[str, list]:
    """Call the API in each way it can answer; give status and warnings."""
    done = run(CALLS, ALLOWED_HOSTS="testserver", TELEMETRY="false", **env)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


class TestWarning:
    def test_stands_in_every_answer_failures_and_unknown_routes_included(self):
        told = warnings(STANDINS="stripe providers")

        assert [status for status, _ in told.values()] == [200, 401, 404, 405, 422, 413, 404]
        for name, (_, said) in told.items():
            assert [one for one in said if "stand-ins" in one], name

    def test_stands_nowhere_without_them(self):
        assert {name: said for name, (_, said) in warnings(STANDINS="stripe").items() if said} == {}


class TestStart:
    @pytest.mark.parametrize("named", ["providers", "stripe,providers", "stripe providers"])
    @pytest.mark.parametrize("key", ["FAL_KEY", "OPENAI_API_KEY", "XAI_API_KEY"])
    def test_beside_a_real_key_it_does_not(self, named, key):
        said = stopped(STANDINS=named, **{key: "real-key"})

        assert "STANDINS" in said
        assert "real-key" not in said

    def test_beside_a_real_key_from_a_file_neither(self, tmp_path):
        file = tmp_path / "key"
        file.write_text("real-key")

        assert "STANDINS" in stopped(STANDINS="providers", XAI_API_KEY_FILE=str(file))

    @pytest.mark.parametrize("named", ["providers", "github providers"])
    def test_outside_development_it_does_not(self, named):
        assert "in development only" in stopped(STANDINS=named, DEVELOPMENT="false")

    def test_in_development_without_keys_it_does(self):
        assert stopped(STANDINS="stripe providers", DEVELOPMENT="true") == ""

    def test_other_stand_ins_are_no_matter_of_the_providers(self):
        assert stopped(STANDINS="stripe", FAL_KEY="real-key") == ""
