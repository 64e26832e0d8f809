"""What a person sees who types at a terminal."""

import os
import pty
import subprocess
import sys

import pytest

from imageskill.dev.standins.faults import Fault


@pytest.fixture
def typed(client):
    """Run the client on a terminal; give its exit code and all that it showed."""

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "imageskill.cli", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=client.home,
            env=client.environment | environment,
        )
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
        os.close(ours)
        return process.wait(20), shown.decode()

    return run


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 4096)
    except OSError:  # the other end has closed
        return b""


class TestTerminal:
    def test_answers_are_short_and_no_json(self, typed):
        exit_code, shown = typed("whoami")
        assert exit_code == 0
        assert "unclaimed" in shown
        assert "{" not in shown

    def test_json_is_there_for_the_asking(self, typed):
        assert '"ok": true' in typed("whoami", "--json")[1]

    def test_lists_are_lines(self, typed):
        assert "local.sketch" in typed("models", "list")[1]

    def test_an_error_says_what_to_try(self, typed):
        exit_code, shown = typed("create")
        assert exit_code == 2
        assert "Try: image-skill create --prompt PROMPT" in shown
        assert "INVALID_ARGUMENTS" in shown

    def test_help_is_readable(self, typed):
        assert "--max-usd USD" in typed("create", "--help")[1]
        assert "credits packs list" in typed("help")[1]
        assert "--json" not in typed("help", "create")[1].split("Options:")[0]

    @pytest.mark.parametrize("words", [["help"], ["help", "create"], ["doctor"]])
    def test_lines_are_as_wide_as_the_terminal(self, typed, words):
        shown = typed(*words, COLUMNS="60")[1].split("Examples:")[0]
        too_long = [line for line in shown.splitlines() if len(line) > 60]
        assert [line for line in too_long if "/" not in line] == []  # but for paths and URLs

    @pytest.mark.parametrize(
        "words",
        [
            ["signup", "--agent", "--agent-name", "n", "--runtime", "r"],
            ["doctor"],
            ["models", "show", "local.sketch"],
            ["create", "--prompt", "p"],
        ],
    )
    def test_no_answer_is_a_printed_dictionary(self, typed, words):
        exit_code, shown = typed(*words)
        assert exit_code == 0
        assert "{" not in shown
        assert "['" not in shown

    def test_a_model_is_explained(self, typed):
        shown = typed("models", "show", "local.sketch")[1]
        assert "Credits per image:    4\r\n" in shown
        assert "from 0; to 9" in shown

    def test_a_line_keeps_moving_while_one_waits(self, typed, hosted):
        hosted.faults.add(Fault(path="/v1/create", delay_s=1.3))
        shown = typed("create", "--prompt", "p")[1]
        assert "Working 1 s" in shown
        assert "completed" in shown

    def test_json_stays_clean_while_one_waits(self, typed, hosted):
        hosted.faults.add(Fault(path="/v1/create", delay_s=0.8))
        assert "Working" not in typed("create", "--prompt", "p", "--json")[1]

    def test_what_a_stranger_wrote_moves_no_cursor(self, typed, hosted):
        hosted.faults.add(
            Fault(
                path="/v1/models",
                status=200,
                body={"ok": True, "data": {"models": [{"id": "\x1b[2Jevil"}]}, "warnings": []},
            )
        )
        assert "\x1b[2J" not in typed("models", "list")[1]
