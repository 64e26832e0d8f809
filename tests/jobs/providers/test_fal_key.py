"""fal's key in its two forms: whole, or in two parts that are joined at start."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

TELL = "from django.conf import settings; print(settings.FAL_KEY)"


def start(**env: str) -> subprocess.CompletedProcess[str]:
    """Read fal's key in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FAL_")}
    return subprocess.run(
        [sys.executable, "-c", TELL],
        cwd=settings.BASE_DIR,
        env=clean | {"DJANGO_SETTINGS_MODULE": "imageskill.settings"} | env,
        capture_output=True,
        text=True,
        check=False,
    )


class TestFalKey:
    @pytest.mark.parametrize(
        "env", [{"FAL_KEY": "id:word"}, {"FAL_KEY_ID": "id", "FAL_KEY_SECRET": "word"}, {}]
    )
    def test_both_forms_are_one_key(self, env):
        assert start(**env).stdout.strip() == ("id:word" if env else "")

    def test_a_part_may_come_from_a_file(self, tmp_path):
        file = tmp_path / "secret"
        file.write_text("word\n")

        assert start(FAL_KEY_ID="id", FAL_KEY_SECRET_FILE=str(file)).stdout.strip() == "id:word"

    @pytest.mark.parametrize("part", ["FAL_KEY_ID", "FAL_KEY_SECRET"])
    def test_both_forms_together_do_not_start(self, part):
        said = start(**{"FAL_KEY": "id:word", part: "word"}).stderr

        assert "Set FAL_KEY, or FAL_KEY_ID and FAL_KEY_SECRET, not both." in said
        assert "id:word" not in said

    @pytest.mark.parametrize("part", ["FAL_KEY_ID", "FAL_KEY_SECRET"])
    def test_half_a_key_does_not_start(self, part):
        assert "must be set together" in start(**{part: "word"}).stderr

    def test_two_parts_are_a_real_key_beside_which_nobody_stands_in(self):
        done = start(FAL_KEY_ID="id", FAL_KEY_SECRET="word", STANDINS="providers")

        assert "STANDINS must not include providers" in done.stderr
