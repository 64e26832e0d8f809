"""`make demo` beside a running copy and without one; the history itself is tested in process."""

import json
import sys

import pytest

from imageskill.dev.embedded import demo, folders
from imageskill.dev.embedded.run import LocalInstallation


@pytest.fixture
def filled(monkeypatch, tmp_path):
    """Note with which environment the command would run, in an installation of our own."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "argv", ["demo", "--seed", "7"])
    for name in ("start_foundation", "stop"):
        monkeypatch.setattr(LocalInstallation, name, lambda self, name=name: calls.append(name))
    calls: list[object] = []
    monkeypatch.setattr(demo, "_fill", lambda env: calls.append(env["DATABASE_URL"]) or 0)
    monkeypatch.setenv("DATABASE_URL", "of the caller")
    (tmp_path / "data").mkdir()
    return calls


class TestDemo:
    def test_starts_and_stops_servers_of_its_own(self, filled):
        assert demo.main() == 0
        assert filled == ["start_foundation", "of the caller", "stop"]

    def test_uses_those_of_a_copy_that_runs(self, filled, tmp_path):
        lock = folders.FolderLock(tmp_path / "data" / "run")
        chosen = {"DATABASE_URL": "of the running one"}
        (tmp_path / "data" / "environment.json").write_text(json.dumps(chosen))
        assert demo.main() == 0
        assert filled == ["of the running one"]
        lock.release()

    def test_says_so_while_that_one_still_starts(self, filled, tmp_path, capsys):
        lock = folders.FolderLock(tmp_path / "data" / "run")
        assert demo.main() == 1
        assert "still starting" in capsys.readouterr().err
        assert filled == []
        lock.release()
