"""What a suggested command must be; `Caller` applies it to every answer of every test."""

import pytest

from imageskill.cli.grammar.reading import UsageError
from tests import commands


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
