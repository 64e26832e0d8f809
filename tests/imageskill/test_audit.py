"""The check of dependencies says what it found, and never says nothing when it could not look."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLEAN = '{"dependencies": [{"name": "one", "version": "1", "vulns": []}]}'
FAULTY = (
    '{"dependencies": [{"name": "one", "version": "1", "vulns":'
    ' [{"id": "PYSEC-0000-1", "fix_versions": ["2"]}]}]}'
)


@pytest.fixture
def audit(tmp_path):
    """Run it with a pip-audit that reports this, or nothing."""

    def run(report: str) -> subprocess.CompletedProcess[str]:
        programs = tmp_path / "bin"
        programs.mkdir()
        (programs / "python").symlink_to(sys.executable)
        tool = programs / "pip-audit"
        # Its last argument is the file to report to.
        tool.write_text(f"#!/bin/sh\nfor last; do :; done\nprintf '%s' '{report}' >\"$last\"\n")
        tool.chmod(0o755)
        environment = os.environ | {"AUDIT_VENV": str(tmp_path)}
        return subprocess.run(
            [ROOT / "requirements/audit"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


class TestAudit:
    def test_nothing_known(self, audit):
        done = audit(CLEAN)
        assert done.returncode == 0
        assert "requirements/production.txt: 1 packages, 0 known" in done.stdout
        assert "requirements/test.txt: 1 packages, 0 known" in done.stdout

    def test_something_found(self, audit):
        done = audit(FAULTY)
        assert done.returncode == 1
        assert "one 1: PYSEC-0000-1, fixed in 2" in done.stdout

    def test_not_looked_up(self, audit):
        done = audit("")
        assert done.returncode == 2
        assert "NOT CHECKED" in done.stderr
