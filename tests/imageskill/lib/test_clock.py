"""One clock: every moment that is stored comes from it, and a test or the demo can set it."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Thread

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField
from django.db.models.fields import NOT_PROVIDED

from accounts.models import User
from billing import signup
from billing.models import CreditPack, StarterCount
from imageskill.lib import clock, database
from imageskill.lib.updated_at import UpdatedAtField

PAST = datetime(2026, 3, 1, 12, tzinfo=UTC)
OURS = ("accounts", "billing", "feedback", "imageskill", "jobs")


class TestAt:
    def test_stops_the_clock_within_the_block_alone(self):
        before = clock.now()
        with clock.at(PAST):
            assert (clock.now(), clock.now()) == (PAST, PAST)

        assert before <= clock.now() <= datetime.now(UTC)

    def test_takes_any_zone_and_returns_utc(self):
        with clock.at(PAST.astimezone(timezone(timedelta(hours=9)))):
            assert clock.now() == PAST
            assert clock.now().tzinfo is UTC

    def test_is_moved_by_a_function(self):
        moments = iter([PAST, PAST + timedelta(minutes=1)])
        with clock.at(lambda: next(moments)):
            assert [clock.now(), clock.now()] == [PAST, PAST + timedelta(minutes=1)]

    def test_is_moved_from_the_clock_around_it(self):
        with clock.at(PAST), clock.at(lambda: clock.now() + timedelta(days=1)):
            assert clock.now() == PAST + timedelta(days=1)

    def test_leaves_the_clock_as_it_was_whatever_happens(self):
        with clock.at(PAST):
            with pytest.raises(ZeroDivisionError), clock.at(PAST + timedelta(days=1)):
                _ = 1 / 0
            assert clock.now() == PAST

    @pytest.mark.parametrize("moment", [datetime(2026, 3, 1), lambda: datetime(2026, 3, 1)])
    def test_refuses_a_moment_without_a_zone(self, moment):
        with pytest.raises(ValueError, match="time zone"), clock.at(moment):
            clock.now()
        assert clock.now() > PAST

    def test_moves_no_other_thread(self):
        read = []
        with clock.at(PAST):
            thread = Thread(target=lambda: read.append(clock.now()))
            thread.start()
            thread.join()
        assert read[0] > PAST

    def test_is_for_the_demo_and_tests(self):
        sources = (file for name in OURS for file in Path(settings.BASE_DIR, name).rglob("*.py"))
        users = [file for file in sources if "clock.at(" in file.read_text()]
        assert [str(file) for file in users if "demo" not in file.parts] == []


def moments() -> list[DateTimeField]:
    return [
        field
        for model in apps.get_models()
        if model.__module__.split(".")[0] in OURS
        for field in model._meta.local_fields
        if isinstance(field, DateTimeField)
    ]


class TestModels:
    def test_take_no_moment_from_another_clock(self):
        assert len(moments()) > 60
        assert [
            str(field)
            for field in moments()
            if (field.has_default() and field.default is not clock.now)
            or field.auto_now
            or field.auto_now_add
            or field.db_default is not NOT_PROVIDED
        ] == []

    @pytest.mark.django_db
    def test_are_made_at_the_moment_of_the_clock(self):
        with clock.at(PAST):
            assert User.objects.create_user("then@example.com").date_joined == PAST

    @pytest.mark.django_db
    def test_say_when_they_were_saved_last(self):
        pack = CreditPack.objects.first()
        with clock.at(PAST):
            pack.save()
        assert pack.updated_at == PAST
        with clock.at(PAST + timedelta(days=1)):
            pack.save(update_fields=["name"])
        pack.refresh_from_db()
        assert pack.updated_at == PAST

    def test_need_no_field_of_ours_in_migrations(self):
        field = UpdatedAtField()
        field.set_attributes_from_name("updated_at")
        _, path, args, options = field.deconstruct()
        assert (path, args) == ("django.db.models.DateTimeField", [])
        assert options == {"default": clock.now, "editable": False}


@pytest.mark.django_db
class TestDatabase:
    def test_decides_no_moment(self):
        with connection.cursor() as cursor:
            cursor.execute(_READ_BY_THE_DATABASE)
            assert cursor.fetchall() == []

    def test_counts_starter_grants_at_the_moment_of_the_clock(self):
        for days in (0, 1):
            with clock.at(PAST + timedelta(days=days)):
                assert signup._count_within_limit("network:192.0.2.0", 2)
            assert StarterCount.objects.get().updated_at == PAST + timedelta(days=days)


# Functions of triggers and defaults of columns that read the server's clock.
_READ_BY_THE_DATABASE = r"""
    SELECT proname FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace
       AND prosrc ~* '\m(now\(|current_timestamp|clock_timestamp|statement_timestamp)'
    UNION ALL
    SELECT table_name || '.' || column_name FROM information_schema.columns
     WHERE table_schema = 'public' AND column_default ~* '(now\(|_timestamp)'
"""


class TestMachineWhoseClockIsWrong:
    @pytest.fixture(autouse=True)
    def as_before(self, monkeypatch):
        monkeypatch.setattr(clock, "_correction", timedelta())

    @pytest.fixture
    def wrong_by(self, monkeypatch):
        """Set the machine's clock wrong."""

        def set_wrong(**difference):
            right = clock.machine_time
            monkeypatch.setattr(clock, "machine_time", lambda: right() + timedelta(**difference))

        return set_wrong

    @pytest.mark.parametrize("difference", [{"hours": 1}, {"seconds": -90}, {"days": -400}])
    def test_follows_the_database_from_its_first_connection(
        self, transactional_db, wrong_by, difference, caplog
    ):
        wrong_by(**difference)
        connection.close()

        connection.ensure_connection()

        assert abs((database.now() - clock.now()).total_seconds()) < clock.TOLERANCE_S
        seconds = -timedelta(**difference).total_seconds()
        assert clock.correction_s() == pytest.approx(seconds, abs=1)
        assert "clock_corrected" in caplog.text

    def test_one_that_is_right_again_is_believed(self, transactional_db, monkeypatch, wrong_by):
        with monkeypatch.context() as wrong:
            right = clock.machine_time
            wrong.setattr(clock, "machine_time", lambda: right() + timedelta(hours=1))
            connection.close()
            connection.ensure_connection()
            assert clock.correction_s()
        connection.close()

        connection.ensure_connection()

        assert clock.correction_s() == 0

    def test_little_is_left_alone(self):
        moment = clock.machine_time()

        clock.follow(moment + timedelta(seconds=0.9), read_at=moment)

        assert clock.correction_s() == 0

    def test_what_moves_a_little_is_not_told_each_time(self, caplog):
        moment = clock.machine_time()
        for seconds in (3600, 3600.2, 3599.8):
            clock.follow(moment + timedelta(seconds=seconds), read_at=moment)

        assert caplog.text.count("clock_corrected") == 1
