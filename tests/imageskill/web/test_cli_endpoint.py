import json

import pytest

from accounts import telemetry
from accounts.models import Agent, TelemetryRow


def argv(line):
    import shlex

    return {"argv": shlex.split(line)}


@pytest.fixture
def run(api):
    return lambda line, **options: api.post("/v1/cli", json=argv(line), **options)


@pytest.mark.django_db
class TestRemoteCommandLine:
    def test_answers_as_the_endpoint_does_under_the_commands_name(self, run, api, agent):
        answer = run("whoami --json", token=agent.token)
        assert answer.status == 200
        assert answer.envelope["command"] == "image-skill whoami"
        assert answer.envelope["actor"]["actor_id"] == agent.id
        assert answer.data == api.get("/v1/whoami", token=agent.token).data

    def test_the_program_may_be_named_too(self, api, agent):
        answer = api.post("/v1/cli", json={"argv": ["image-skill", "version"]})
        assert answer.data["package"] == "image-skill"

    def test_exit_codes_are_the_endpoints(self, run):
        answer = run("usage quota --json")
        assert (answer.status, answer.exit_code, answer.code) == (401, 3, "AUTH_REQUIRED")
        assert answer.envelope["command"] == "image-skill usage quota"

    def test_trace_and_header_agree(self, run):
        answer = run("whoami")
        assert answer.headers["x-image-skill-trace-id"] == answer.envelope["trace_id"]

    def test_signs_up_and_gives_the_token_once(self, run):
        answer = run("signup --agent --agent-name n --runtime r --json")
        assert run("whoami", token=answer.data["token"]).status == 200

    def test_signup_with_a_token_makes_another_agent(self, run, agent):
        run("signup --agent --agent-name n --runtime r", token=agent.token)
        assert Agent.objects.count() == 2
        assert run("whoami", token=agent.token).status == 200

    def test_signup_shares_signups_limits(self, run, settings):
        settings.LOOPBACK_IS_UNLIMITED = False
        settings.SIGNUPS_PER_HOUR_PER_NETWORK = 1
        run("signup --agent --agent-name a --runtime r")
        assert run("signup --agent --agent-name b --runtime r").code == "RATE_LIMITED"

    @pytest.mark.parametrize(
        ("line", "instead"),
        [
            ("doctor", "GET /healthz"),
            ("upload ./cat.png", "POST /v1/upload"),
            ("assets get image_1 --output x.png", "GET /v1/assets"),
            ("auth status", "GET /v1/whoami"),
            ("auth save", "Authorization"),
            ("mcp", "POST /mcp"),
            ("whoami --token-stdin", "Authorization"),
            ("whoami --token isk_r_secret", "Authorization"),
            ("whoami --api-base-url http://evil.example", "plain flags"),
            ("create --prompt-file /etc/passwd", "plain flags"),
            ("edit --input ./cat.png --prompt p", "POST /v1/upload"),
            ("edit --input http://169.254.169.254/x.png --prompt p", "POST /v1/upload"),
            ("create --prompt p --reference-image ./cat.png", "POST /v1/upload"),
            ("signup --agent --agent-name n --runtime r --save", "plain flags"),
        ],
    )
    def test_what_needs_the_callers_machine_is_refused_with_the_way_to_go(
        self, run, agent, line, instead
    ):
        answer = run(line, token=agent.token)
        assert (answer.status, answer.exit_code, answer.code) == (422, 2, "INVALID_ARGUMENTS")
        assert instead in answer.error["message"]
        assert "isk_r_secret" not in json.dumps(answer.envelope)

    @pytest.mark.parametrize("line", ["paint", "credits", "create", "whoami --nonsense"])
    def test_what_is_no_command_is_refused(self, run, line):
        answer = run(line)
        assert (answer.exit_code, answer.code) == (2, "INVALID_ARGUMENTS")
        assert answer.error["recovery"]["suggested_command"].startswith("image-skill ")

    @pytest.mark.parametrize("body", [{}, {"argv": "whoami"}, {"argv": [1]}, {"argv": [], "x": 1}])
    def test_bodies_are_strict(self, api, body):
        assert api.post("/v1/cli", json=body).code == "INVALID_ARGUMENTS"

    def test_waiting_is_capped_and_ends_as_the_command_line_would(self, run, agent, settings):
        settings.CREATE_WAIT_S = 0
        settings.LOCAL_PROVIDER = True
        made = run("create --prompt cat --model local.sketch", token=agent.token)
        assert (made.status, made.data["job"]["status"]) == (202, "queued")
        job_id = made.data["job_id"]
        answer = run(f"jobs wait {job_id} --timeout-ms 600000", token=agent.token)
        assert (answer.status, answer.exit_code, answer.code) == (504, 8, "TIMEOUT")
        assert job_id in answer.error["recovery"]["suggested_command"]
        assert answer.envelope["command"] == "image-skill jobs wait"

    def test_somebody_elses_job_is_no_job(self, run, agent, stranger, settings):
        settings.CREATE_WAIT_S = 0
        settings.LOCAL_PROVIDER = True
        made = run("create --prompt cat --model local.sketch", token=agent.token)
        answer = run(f"jobs wait {made.data['job_id']}", token=stranger.token)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")

    def test_help_is_the_same_as_on_a_machine(self, run):
        assert run("help create").data["usage"] == "image-skill create --prompt PROMPT --json"
        assert run("").data["commands"]

    def test_the_guide_is_that_of_http_with_placeholders(self, run, api, agent, settings):
        settings.LOCAL_PROVIDER = True
        answer = run("create --guide --prompt cat --json", token=agent.token)
        assert answer.envelope["command"] == "image-skill create"
        assert answer.data["stage"] == "ready_to_create"
        asked = "/v1/guide?operation=create&prompt_present=true"
        for name, value in api.get(asked, token=agent.token).data.items():
            if name != "next_command":  # its key is new each time
                assert answer.data[name] == value
        assert "--prompt PROMPT" in answer.data["next_command"]
        assert not answer.data["next_command_copy_runnable"]

    def test_the_guide_needs_no_token_and_no_image(self, run):
        assert run("create --guide --json").data["stage"] == "prompt_required"
        answer = run("edit --guide --prompt cat --json")
        assert (answer.status, answer.data["operation"]) == (200, "edit")

    def test_the_status_of_nothing_is_the_balance(self, run, agent):
        answer = run("credits status --json", token=agent.token)
        assert answer.data["limits"]["remaining_credits"] == 40
        assert answer.envelope["command"] == "image-skill credits status"

    def test_is_counted_once_under_the_commands_name(self, run, agent, settings):
        settings.TELEMETRY = True
        settings.TELEMETRY_WRITER = False
        telemetry.flush()
        TelemetryRow.objects.all().delete()
        run("whoami", token=agent.token)
        telemetry.flush()
        row = TelemetryRow.objects.get()
        assert (row.name, row.actor_id) == ("image-skill whoami", agent.id)

    def test_a_refusal_is_counted_with_its_code(self, run, settings):
        settings.TELEMETRY = True
        settings.TELEMETRY_WRITER = False
        telemetry.flush()
        TelemetryRow.objects.all().delete()
        run("whoami")
        telemetry.flush()
        assert TelemetryRow.objects.get().error_code == "AUTH_REQUIRED"

    @pytest.mark.parametrize(("development", "rows"), [(True, 0), (False, 1)])
    def test_the_test_mode_without_telemetry_is_for_development(
        self, api, settings, development, rows
    ):
        settings.DEVELOPMENT = development
        settings.TELEMETRY = True
        settings.TELEMETRY_WRITER = False
        telemetry.flush()
        TelemetryRow.objects.all().delete()
        api.get("/v1/models", **{"x-image-skill-telemetry": "off"})
        telemetry.flush()
        assert TelemetryRow.objects.count() == rows
