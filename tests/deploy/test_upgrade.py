"""Upgrading while the release before still runs: migrations add first and remove a release later.

The release before is a commit: `FROM=v0.1.0 make contract-check` runs its programs against this
release's schema, beside programs of this release.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader
from django.db.models.fields import NOT_PROVIDED, TextField

from imageskill import programs
from imageskill.dev.embedded.service import Program
from tests.faults.conftest import QUICK, wait_for
from tests.live import Live

APPS = {"accounts", "billing", "jobs", "feedback"}
# Migrations that take something away, with the release that was the first not to use it.
REMOVING: dict[str, str] = {}
SIGNUP = {"agent_name": "steady", "runtime": "tests", "agent_contact": "ops@example.com"}
SKETCH = {"prompt": "a lighthouse", "model": "local.sketch"}


def added_since_the_squash() -> dict[str, list[object]]:
    """Return the operations of each migration that an installation still has to apply."""
    loader = MigrationLoader(None)
    squashed = set(loader.replacements)
    squashed |= {key for it in loader.replacements.values() for key in it.replaces}
    return {
        f"{app}.{name}": list(flat(migration.operations))
        for (app, name), migration in loader.disk_migrations.items()
        if app in APPS and (app, name) not in squashed
    }


def flat(found: list[object]) -> Iterator[object]:
    for operation in found:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            yield from flat(operation.database_operations)
        else:
            yield operation


def breaks_the_release_before(operation: object) -> bool:
    """Return whether programs that don't know of this operation fail after it."""
    if isinstance(operation, operations.AddField):
        field = operation.field
        has_default = field.db_default is not NOT_PROVIDED
        return not (field.null or has_default or field.many_to_many)
    removing = (
        operations.RemoveField,
        operations.RenameField,
        operations.DeleteModel,
        operations.AlterModelTable,
    )
    return isinstance(operation, removing)


class TestMigrations:
    def test_keep_the_release_before_working(self):
        breaking = {
            f"{name}: {operation.describe()}"
            for name, found in added_since_the_squash().items()
            for operation in found
            if breaks_the_release_before(operation) and name not in REMOVING
        }
        assert breaking == set()

    def test_what_breaks_is_known(self):
        assert breaks_the_release_before(operations.RemoveField("job", "prompt"))
        assert breaks_the_release_before(operations.AddField("job", "colour", TextField()))
        assert not breaks_the_release_before(
            operations.AddField("job", "colour", TextField(null=True))
        )
        kept = operations.AddField("job", "colour", TextField(db_default=""))
        assert not breaks_the_release_before(kept)


@pytest.mark.by_hand
class TestReleaseBefore:
    @pytest.fixture
    def tree(self, tmp_path) -> Iterator[Path]:
        """The files of the release before."""
        tree = tmp_path / "before"
        git("worktree", "add", "--detach", str(tree), os.environ["FROM"])
        yield tree
        git("worktree", "remove", "--force", str(tree))

    @pytest.fixture
    def site(self, tree, migrated_postgres, own_valkey, tmp_path):
        """Its web server and worker on a database that this release has migrated."""
        urls = {"DATABASE_URL": migrated_postgres.url(), "REDIS_URL": own_valkey.url()}
        site = Live(tmp_path, **QUICK, **urls, DATA_DIR=str(tmp_path))
        manage("bootstrap", env=site.env, folder=settings.BASE_DIR)
        site.web = Program(
            programs.web(host="127.0.0.1", port=site.port, workers=1, threads=64),
            env=site.env,
            log=site.web_log,
            cwd=tree,
        )
        site.worker = Program(
            programs.worker(threads=8), env=site.env, log=site.worker_log, cwd=tree
        )
        site.start()
        yield site
        site.stop()

    def test_serves_with_this_releases_schema_and_beside_its_workers(self, site, tree):
        token = site.post("/v1/agent-signups", json=SIGNUP).data["token"]
        self.create(site, token)
        site.worker.stop()
        site.worker = Program(
            programs.worker(threads=8), env=site.env, log=site.worker_log, cwd=settings.BASE_DIR
        )
        site.worker.start()
        self.create(site, token)
        for path in ("/v1/whoami", "/v1/quota", "/v1/activity", "/v1/models", "/v1/guide"):
            assert site.get(path, token=token).status in {200, 404}, path
        for path in ("/", "/account/login/", "/admin/"):
            assert site.client.get(path, follow_redirects=True).status_code == 200, path
        for folder in (tree, settings.BASE_DIR):
            manage("check_books", env=site.env, folder=folder)
        assert "Traceback" not in site.logs()

    @staticmethod
    def create(site: Live, token: str) -> None:
        answer = site.post("/v1/create", token=token, json=SKETCH)
        assert answer.status in {200, 202}, answer.envelope
        path = f"/v1/jobs/{answer.data['job_id']}"
        wait_for(lambda: site.get(path, token=token).data["status"] == "completed", within_s=60)


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=settings.BASE_DIR, check=True, capture_output=True)


def manage(*arguments: str, env: dict[str, str], folder: Path) -> None:
    command = [sys.executable, "manage.py", *arguments]
    answer = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
