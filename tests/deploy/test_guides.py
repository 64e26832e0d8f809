"""The commands of docs/deployment.md and docs/operations.md, as they stand there.

What needs a container engine, Kubernetes or root is read by a shell and not run; the database, a
backup and its restoration are done word for word.
"""

import os
import re
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.core.management import get_commands

from imageskill.dev.embedded import installation
from imageskill.dev.embedded.unprivileged import unprivileged_user

DEPLOYMENT = (settings.BASE_DIR / "docs" / "deployment.md").read_text()
OPERATIONS = (settings.BASE_DIR / "docs" / "operations.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", DEPLOYMENT + OPERATIONS, re.MULTILINE | re.DOTALL)


class TestBlocks:
    @pytest.mark.parametrize("block", [it for it in BLOCKS if not it.startswith("SECRET_KEY_FILE")])
    def test_are_understood_by_a_shell(self, block):
        answer = subprocess.run(
            ["bash", "-n"], input=block, text=True, capture_output=True, check=False
        )
        assert (answer.returncode, answer.stderr) == (0, "")

    def test_name_commands_that_there_are(self):
        named = set(
            re.findall(r"(?:imageskill-manage|manage\.py) ([a-z][a-z_-]+)", "\n".join(BLOCKS))
        )
        assert {"bootstrap", "check", "restore-check"} <= named
        assert {name.replace("-", "_") for name in named} <= set(get_commands())

    def test_name_files_that_there_are(self):
        named = set(re.findall(r"(?:deploy|requirements)/[\w./*-]*\w", "\n".join(BLOCKS)))
        missing = {name for name in named if not list(settings.BASE_DIR.glob(name))}
        assert named
        assert missing == set()

    def test_restart_the_servers_that_the_proxy_knows(self):
        upstream = (settings.BASE_DIR / "deploy" / "nginx" / "upstream.conf").read_text()
        ports = re.findall(r"^restart_web (\d+)$", "\n".join(BLOCKS), re.MULTILINE)
        assert ports
        assert all(f":{port} max_fails=0;" in upstream for port in ports)


class TestDatabase:
    """As an operator: their own role and database, then a backup that is restored elsewhere."""

    @pytest.fixture
    def shell(self, own_postgres, own_valkey, tmp_path):
        """Return what runs a block with the programs and settings that an operator has."""
        programs = tmp_path / "bin"
        programs.mkdir()
        shim = programs / "imageskill-manage"
        shim.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -c "from imageskill.management.main import'
            f' main; main()" "$@"\n'
        )
        shim.chmod(0o755)
        postgresql = installation.find(account=unprivileged_user()).bin
        (tmp_path / "data" / "media").mkdir(parents=True)
        env = {
            **os.environ,
            "PATH": f"{programs}:{postgresql}:{os.environ['PATH']}",
            "DATABASE_URL": url_of(own_postgres, "imageskill"),
            "RESTORED_DATABASE_URL": url_of(own_postgres, "restored"),
            "REDIS_URL": own_valkey.url(),
            "DATA_DIR": str(tmp_path / "data"),
            "RESTORED_DATA_DIR": str(tmp_path / "restored"),
        }

        def run(script: str) -> str:
            command = ["bash", "-euc", script]
            # The project is not installed here: it is found where the shell stands.
            answer = subprocess.run(
                command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False
            )
            assert answer.returncode == 0, answer.stderr[-2000:]
            return answer.stdout

        return run

    def test_is_made_served_saved_and_restored(self, shell, own_postgres, tmp_path):
        [creation] = re.findall(r"```sql\n(.*?)```", OPERATIONS, re.DOTALL)
        dump, restore = re.findall(
            r"```sh\n(.*?)```", DEPLOYMENT.partition("## Backup")[2], re.DOTALL
        )
        files = (("imageskill.dump", tmp_path), ("media.tar", tmp_path))
        for name, folder in files:
            dump, restore = (text.replace(name, str(folder / name)) for text in (dump, restore))
        (tmp_path / "create.sql").write_text(
            creation
            + creation.replace("DATABASE imageskill", "DATABASE restored").split(";")[1]
            + ";"
        )
        administrator = url_of(own_postgres, "postgres", user="app")
        shell(f"psql --set ON_ERROR_STOP=1 --file {tmp_path}/create.sql '{administrator}'")
        first = shell("imageskill-manage bootstrap").split()
        assert first[0] == settings.ADMIN_EMAIL
        assert shell("imageskill-manage bootstrap") == ""  # a password is printed once
        shell(dump)
        assert "The copy is complete." in shell(restore)


def url_of(server, database: str, *, user: str = "imageskill") -> str:
    parts = urlsplit(server.url())
    return urlunsplit(parts._replace(netloc=f"{user}@:{parts.port}", path=f"/{database}"))
