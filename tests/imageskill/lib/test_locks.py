"""A lock of one process at a time, and tasks that a second delivery must not start again."""

import time
from contextlib import ExitStack

import pytest
from django.conf import settings as django_settings
from django.db import connection

from billing.ledger import checks
from billing.tasks import check_books
from imageskill import deploy_checks
from imageskill.lib.postgresql import session_settings
from imageskill.lib.redis import locks
from imageskill.lib.redis.client import client
from jobs import tasks as job_tasks


class TestHeld:
    def test_one_at_a_time(self):
        names = ("tests.one", "tests.one", "tests.other")
        with ExitStack() as stack:
            taken = [stack.enter_context(locks.held(name)) for name in names]
            assert taken == [True, False, True]
        with locks.held("tests.one") as again:
            assert again

    def test_is_renewed_while_it_is_held(self):
        with locks.held("tests.long", ttl_s=0.3) as first:
            time.sleep(0.7)
            with locks.held("tests.long") as second:
                assert (first, second) == (True, False)
        assert not client().exists("lock:tests.long")

    def test_one_that_was_lost_leaves_the_next_ones_alone(self):
        with locks.held("tests.lost"):
            client().set("lock:tests.lost", "somebody else's")
        assert client().get("lock:tests.lost") == "somebody else's"
        client().delete("lock:tests.lost")


class TestNightlyTasks:
    @pytest.mark.parametrize(
        ("lock", "task", "what"),
        [
            ("jobs.retain", job_tasks.retain, "jobs.assets.retention.enforce"),
            ("billing.check_books:system:nightly", check_books, f"{checks.__name__}.run_check"),
        ],
    )
    def test_a_second_delivery_does_nothing(self, monkeypatch, lock, task, what):
        started = []

        def start(**options):
            started.append(options)
            return type("Run", (), {"problem_count": 0})

        monkeypatch.setattr(what, start)
        with locks.held(lock):
            task()
        assert started == []
        task()
        assert len(started) == 1


class TestSessionSettings:
    def kept(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setconfig FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase"
                " WHERE datname = current_database()"
            )
            return [line for (lines,) in cursor.fetchall() for line in lines]

    def test_the_database_keeps_them_and_an_operators_stay(self, db):
        own = 'ALTER ROLE CURRENT_USER IN DATABASE "{}" SET lock_timeout = "3s"'
        assert sorted(self.kept()) == sorted(
            f"{name}={value}" for name, value in session_settings.SETTINGS.items()
        )
        with connection.cursor() as cursor:
            cursor.execute(own.format(connection.settings_dict["NAME"]))
        session_settings.sync()
        assert "lock_timeout=3s" in self.kept()

    def test_nothing_is_sent_that_a_pooler_refuses(self):
        assert "options" not in django_settings.DATABASES["default"]["OPTIONS"]

    def test_sessions_without_are_told(self, db):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 0")
            [warning] = deploy_checks.check_session_settings()
            assert "bootstrap" in warning.hint
            cursor.execute("SET LOCAL lock_timeout = '10s'")
            assert deploy_checks.check_session_settings() == []
