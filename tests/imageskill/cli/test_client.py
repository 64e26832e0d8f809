import stat
import subprocess
import sys
from pathlib import Path

import pytest

from imageskill.dev.standins.faults import Fault
from tests.imageskill.cli.hosted import TOKEN

SIGN_UP = ("signup", "--agent", "--agent-name", "n", "--runtime", "r")


class TestOutput:
    def test_stdout_carries_the_envelope_alone(self, client):
        run = client("whoami", "--json")
        assert run.exit_code == 0
        assert run.envelope["command"] == "image-skill whoami"
        assert run.stderr == ""

    def test_without_a_terminal_json_needs_no_flag(self, client):
        assert client("whoami").data["authenticated"]

    def test_exit_codes_are_the_servers(self, client):
        run = client("whoami", "--json", IMAGE_SKILL_TOKEN="isk_r_wrong")
        assert run.exit_code == 3
        assert run.error["code"] == "AUTH_REQUIRED"

    def test_a_wrong_command_line_is_an_envelope_too(self, client, hosted):
        run = client("create", "--json")
        assert run.exit_code == 2
        assert run.error["recovery"]["required_flags"] == ["--prompt", "--prompt-file"]
        assert not hosted.requests

    def test_a_server_that_is_not_ours_is_named_as_such(self, client, hosted):
        hosted.faults.add(Fault(path="/v1/whoami", status=502, body="<html>bad gateway"))
        run = client("whoami", "--json")
        assert run.exit_code == 7
        assert run.error["code"] == "HOSTED_API_NON_JSON_RESPONSE"

    def test_no_server_at_all(self, client):
        run = client("whoami", "--json", IMAGE_SKILL_API_BASE_URL="http://127.0.0.1:9")
        assert run.exit_code == 7
        assert run.error["code"] == "HOSTED_API_REQUEST_FAILED"
        assert run.error["retryable"]

    def test_version_asks_nobody(self, client, hosted):
        assert client("version", "--json").data["package"] == "image-skill"
        assert client("--version").data["package"] == "image-skill"
        assert client("-V").data["package"] == "image-skill"
        assert not hosted.requests

    def test_help_lists_and_explains(self, client):
        names = [one["name"] for one in client("help", "--json").data["commands"]]
        assert "credits packs list" in names
        assert client("help", "create", "--json").data["usage"].startswith("image-skill create")
        assert client("help", "paint", "--json").exit_code == 2

    @pytest.mark.parametrize(
        ("redirection", "reason"), [(">&-", "closed"), (">/dev/full", "No sp")]
    )
    def test_an_answer_that_can_not_be_written_is_no_success(self, client, redirection, reason):
        line = f"{sys.executable} -m imageskill.cli version {redirection}"
        done = subprocess.run(
            ["bash", "-c", line],
            env=client.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 9
        assert reason in done.stderr
        assert "Traceback" not in done.stderr

    def test_mcp_keeps_its_output_for_the_protocol(self, client):
        run = client("mcp", "--nothing")
        assert (run.exit_code, run.stdout) == (2, "")
        assert "Unknown option --nothing" in run.stderr


class TestToken:
    def test_stdin_wins_over_the_environment(self, client):
        run = client("whoami", "--token-stdin", stdin=f"{TOKEN}\n", IMAGE_SKILL_TOKEN="isk_r_no")
        assert run.exit_code == 0

    def test_empty_stdin_is_no_token(self, client):
        assert client("whoami", "--token-stdin").error["code"] == "AUTH_REQUIRED"

    def test_without_any_token_nothing_is_asked(self, client, hosted):
        run = client("whoami", IMAGE_SKILL_TOKEN=None)
        assert run.exit_code == 3
        assert "signup" in run.error["recovery"]["suggested_command"]
        assert not hosted.requests

    def test_open_commands_send_none(self, client, hosted):
        assert client("models", "list").exit_code == 0
        assert "authorization" not in hosted.requests[-1].headers

    def test_a_saved_token_goes_to_its_own_server_only(self, client, hosted):
        client("auth", "save")
        run = client(
            "whoami", IMAGE_SKILL_TOKEN=None, IMAGE_SKILL_API_BASE_URL="http://127.0.0.1:9"
        )
        assert run.error["code"] == "AUTH_REQUIRED"

    def test_the_saved_server_is_the_default(self, client):
        client("auth", "save")
        assert client("whoami", IMAGE_SKILL_TOKEN=None, IMAGE_SKILL_API_BASE_URL=None).data

    def test_a_path_in_the_base_url_is_dropped(self, client, hosted):
        client("whoami", "--api-base-url", f"{hosted.base_url}/v2/")
        assert hosted.requests[-1].path == "/v1/whoami"


class TestSignup:
    def test_saving_redacts_the_token_and_keeps_it_private(self, client):
        run = client(*SIGN_UP, "--save", "--json", IMAGE_SKILL_TOKEN=None)
        assert run.exit_code == 0
        assert TOKEN not in run.stdout + run.stderr
        assert stat.S_IMODE(client.config.stat().st_mode) == 0o600
        assert client("whoami", IMAGE_SKILL_TOKEN=None).exit_code == 0

    def test_saves_when_nothing_else_is_asked_for(self, client):
        client(*SIGN_UP)
        assert client.config.exists()

    def test_show_token_prints_it_and_saves_nothing(self, client):
        run = client(*SIGN_UP, "--show-token")
        assert run.data["token"] == TOKEN
        assert not client.config.exists()

    def test_an_earlier_token_is_kept_beside(self, client):
        client("auth", "save", IMAGE_SKILL_TOKEN="isk_r_earlier")
        run = client(*SIGN_UP, "--save")
        kept = client.config.with_name("config.json.previous")
        assert "isk_r_earlier" in kept.read_text()
        assert any(str(kept) in warning for warning in run.envelope["warnings"])

    def test_a_config_that_cannot_be_written_is_found_before_signing_up(self, client, hosted):
        Path(client.home, "config").write_text("in the way")
        run = client(*SIGN_UP, "--save")
        assert run.exit_code == 9
        assert run.error["code"] == "PUBLIC_CLI_CONFIG_WRITE_FAILED"
        assert not hosted.requests
        suggested = run.error["recovery"]["suggested_command"].replace(
            "image-skill signup", f"{sys.executable} -m imageskill.cli signup"
        )
        done = subprocess.run(
            ["bash", "-c", suggested], cwd=client.home, env=client.environment, check=True
        )
        assert done.returncode == 0
        assert TOKEN in Path(client.home, ".image-skill/config.json").read_text()

    def test_an_environment_token_is_no_proof_for_rotation(self, client, hosted):
        client(*SIGN_UP)
        assert "authorization" not in hosted.requests[-1].headers
        client(*SIGN_UP, "--token-stdin", stdin=TOKEN)
        assert hosted.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"

    def test_logout_forgets(self, client):
        client(*SIGN_UP)
        assert client("auth", "logout").data["saved"] is False
        assert client("auth", "status", IMAGE_SKILL_TOKEN=None).data["authenticated"] is False


class TestDoctor:
    def test_tells_server_folders_telemetry_and_token(self, client):
        data = client("doctor", "--json").data
        assert data["hosted_api"]["reachable"]
        assert data["output"]["current_folder"]["writable"]
        assert data["telemetry"]["status"] == "on"
        assert data["auth"]["env_token"]
        assert data["in_flight"]["count"] == 0

    def test_a_token_that_no_server_takes_is_a_finding(self, client):
        assert client("doctor").data["auth"]["token_status"] == "accepted"
        run = client("doctor", IMAGE_SKILL_TOKEN="isk_r_wrong")
        assert run.exit_code == 0
        assert run.data["auth"]["token_status"] == "rejected"
        assert "from the environment" in run.envelope["warnings"][0]
        assert client("doctor", IMAGE_SKILL_TOKEN=None).data["auth"]["token_status"] == "missing"

    def test_leaves_nothing_behind(self, client):
        client("doctor")
        assert list(client.home.iterdir()) == []

    def test_an_unreachable_server_is_a_finding(self, client):
        run = client("doctor", "--json", IMAGE_SKILL_API_BASE_URL="http://127.0.0.1:9")
        assert run.exit_code == 0
        assert run.data["hosted_api"]["error"]["code"] == "HOSTED_API_REQUEST_FAILED"

    def test_telemetry_can_be_off_in_tests(self, client, hosted):
        run = client("doctor", "--json", IMAGE_SKILL_NO_TELEMETRY="1")
        assert run.data["telemetry"]["status"] == "test_mode_off"
        assert hosted.requests[-1].headers["x-image-skill-telemetry"] == "off"


class TestTrust:
    def test_compares_each_document_with_its_hash_and_sends_no_token(self, client, hosted):
        data = client("trust", "--json").data
        assert data["summary"]["status"] == "usable"
        assert data["hosted_contracts"]["status"] == "verified"
        assert data["recent_runs"][0]["model"] == "local.sketch"
        assert all("authorization" not in one.headers for one in hosted.requests)

    def test_another_document_than_the_api_names_is_a_mismatch(self, client, hosted):
        hosted.faults.add(Fault(path="/llms.txt", status=200, body="# Another"))
        run = client("trust", "--json")
        assert run.data["summary"]["status"] == "stale_or_mismatched"
        assert run.envelope["warnings"] == ["The document llms is mismatched."]

    def test_a_document_that_is_away_is_a_warning(self, client, hosted):
        hosted.faults.add(Fault(path="/llms.txt", status=404, body="gone"))
        data = client("trust", "--json").data
        assert data["summary"]["status"] == "usable_with_warnings"
        assert data["hosted_contracts"]["contracts"][0]["sha256"] is None

    def test_no_server_is_a_finding(self, client):
        run = client("trust", "--json", IMAGE_SKILL_API_BASE_URL="http://127.0.0.1:9")
        assert run.exit_code == 0
        assert run.data["summary"]["status"] == "unavailable"
        assert not run.data["hosted_api"]["reachable"]


class TestQuote:
    def test_makes_a_key_and_tells_it(self, client, last_body):
        run = client("credits", "quote", "--credits", "10")
        key = last_body()["idempotency_key"]
        assert key.startswith("quote-")
        assert any(key in warning for warning in run.envelope["warnings"])


class TestWait:
    def test_polls_until_the_job_is_over(self, client):
        run = client("jobs", "wait", "job_1", "--poll-interval-ms", "50", "--json")
        assert run.data["job"]["status"] == "completed"
        assert run.data["request"]["poll_interval_ms"] == 50

    def test_outlives_a_server_that_hiccups(self, client, hosted):
        hosted.faults.add(Fault(path="/v1/jobs", cut="before"))
        error = {"code": "SERVICE_UNAVAILABLE", "message": "No.", "retryable": True}
        body = {"ok": False, "data": None, "warnings": [], "error": error}
        hosted.faults.add(Fault(path="/v1/jobs", status=503, body=body))
        run = client("jobs", "wait", "job_1", "--poll-interval-ms", "50", "--json")
        assert run.data["job"]["status"] == "completed"

    def test_a_job_that_is_not_ours_ends_it_at_once(self, client, hosted):
        error = {"code": "NOT_FOUND", "message": "No.", "retryable": False}
        body = {"ok": False, "data": None, "warnings": [], "error": error}
        headers = {"x-image-skill-exit-code": "1"}
        hosted.faults.add(Fault(path="/v1/jobs", status=404, body=body, headers=headers))
        assert client("jobs", "wait", "job_1").exit_code == 1
        assert len(hosted.requests) == 1

    def test_gives_up_in_time(self, client, hosted):
        hosted.job_statuses = ["running"] * 100
        run = client("jobs", "wait", "job_1", "--timeout-ms", "200", "--poll-interval-ms", "50")
        assert run.exit_code == 8
        assert run.error["code"] == "TIMEOUT"


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_prints_a_script_that_knows_the_commands(self, client, shell):
        run = client("completion", shell)
        assert run.exit_code == 0
        assert "fake-purchase" in run.stdout
        assert "model-parameters-json" in run.stdout

    def test_bash_completes_words_flags_and_choices(self, client):
        script = client("completion", "bash").stdout
        for typed, expected in (
            (["image-skill", "cred"], "credits"),
            (["image-skill", "credits", "packs", ""], "list"),
            (["image-skill", "create", "--dry"], "--dry-run"),
            (["image-skill", "create", "--prompt", "x", "--accept"], "--accept-unknown-cost"),
            (["image-skill", "feedback", "create", "--severity", "cri"], "critical"),
        ):
            words = " ".join(f'"{one}"' for one in typed)
            check = (
                f"{script}\nCOMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; _image_skill; "
                'echo "${COMPREPLY[@]}"'
            )
            done = subprocess.run(["bash", "-c", check], capture_output=True, text=True, check=True)
            assert expected in done.stdout.split(), typed
