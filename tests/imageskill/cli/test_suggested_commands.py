"""What a suggested command must be; `Caller` applies it to every answer of every test."""

import shlex

import pytest

from imageskill.cli.grammar.reading import UsageError
from tests import commands
from tests.cast import sign_up

CREATE = {"prompt": "a red kite", "model": "local.sketch"}


class TestCheckCommand:
    @pytest.mark.parametrize(
        "line",
        [
            "image-skill create --prompt PROMPT --max-usd 1 --idempotency-key k --json",
            "image-skill jobs wait job_1 --json",
            "image-skill claim request --contact agent-ops@example.com --json",
            "image-skill credits fake-purchase --quote-id quote_1 --idempotency-key k --json",
        ],
    )
    def test_takes_what_runs_in_both_clients(self, line):
        commands.check_command(line)

    @pytest.mark.parametrize(
        "line",
        [
            "image-skill claim request --agent-contact agent-ops@example.com --json",
            "image-skill create --idempotency-key k --json",
            "image-skill create --prompt a cat --json",
        ],
    )
    def test_refuses_what_our_own_grammar_refuses(self, line):
        with pytest.raises(UsageError):
            commands.check_command(line)

    @pytest.mark.parametrize(
        "line",
        [
            "image-skill jobs cancel job_1 --json",  # the public client has no such command
            "image-skill activity list --cursor c --json",  # no such flag
            "image-skill credits quote --credits 10 --json",  # needs the method
            "image-skill jobs wait --json job_1",  # takes the id for the value of --json
            "doctor --json",
        ],
    )
    def test_refuses_what_the_public_client_reads_otherwise(self, line):
        with pytest.raises(AssertionError):
            commands.check_command(line)

    def test_looks_into_every_part_of_an_answer(self):
        answer = {"error": {"recovery": [{"suggested_command": "image-skill nonsense --json"}]}}
        with pytest.raises(UsageError):
            commands.check(answer)


class TestRefusalsOfGrantsAndLimits:
    """Whoever is refused is led to the person who can change it, by a command that runs."""

    @pytest.fixture
    def refused(self, db, api, settings):
        settings.LOCAL_PROVIDER, settings.CREATE_WAIT_S = True, 0

        def refuse(
            method,
            path,
            *,
            grants_lost=(),
            body=None,
            contact="agent-ops@example.com",
            **limits,
        ):
            caller = sign_up(contact=contact)
            for name, value in limits.items():
                setattr(caller.agent, name, value)
            caller.agent.grants = [one for one in caller.agent.grants if one not in grants_lost]
            caller.agent.save()
            answer = api.call(method, path, json=body, token=caller.token)
            assert answer.code == "CAPABILITY_DENIED"
            words = shlex.split(answer.error["recovery"]["suggested_command"])
            assert words == f"image-skill claim request --contact {contact} --json".split()

        return refuse

    @pytest.mark.parametrize(
        ("grant", "path", "body"),
        [
            ("image.create", "/v1/create", {}),
            ("image.edit", "/v1/edit", {}),
            ("asset.upload", "/v1/upload", {}),
            ("credits.quote", "/v1/credit-quotes", {"credits": 10}),
            ("credits.buy", "/v1/credit-purchases", {"quote_id": "q", "idempotency_key": "k"}),
            ("feedback.create", "/v1/feedback", {"title": "t"}),
        ],
    )
    def test_of_a_missing_grant(self, refused, grant, path, body):
        refused("POST", path, grants_lost=[grant], body=body)

    def test_of_whom_a_shell_would_read_otherwise(self, refused):
        contact = "o'brien+$home&co@example.com"
        refused("POST", "/v1/create", grants_lost=["image.create"], contact=contact)

    def test_of_activity(self, refused):
        refused("GET", "/v1/activity", grants_lost=["activity.read"])

    def test_of_provenance(self, refused):
        refused("GET", "/v1/jobs?provenance=1")

    def test_of_several_outputs(self, refused):
        body = CREATE | {"output_count": 2}
        refused("POST", "/v1/create", body=body, grants_lost=["output.batch"])

    @pytest.mark.parametrize(
        ("limit", "most"),
        [
            ("cap_outputs_per_request", 1),
            ("cap_credits_per_operation", 1),
            ("cap_credits_per_day", 1),
            ("cap_credits_per_week", 1),
            ("cap_credits_per_month", 1),
            ("cap_credits_total", 1),
        ],
    )
    def test_of_a_limit(self, refused, limit, most):
        refused("POST", "/v1/create", body=CREATE | {"output_count": 2}, **{limit: most})
