"""A database that goes away during a create: after the commit, the answer names the job."""

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.backends.postgresql.base import DatabaseWrapper

from billing import ledger
from jobs import notifications
from jobs.assets import storage
from jobs.models import Asset, Job
from jobs.running import hold_checks
from jobs.submission import submit, waiting
from tests.jobs.sample_images import noise, upload_of

BODY = {"prompt": "a lighthouse", "model": "local.sketch", "idempotency_key": "once"}
MOST_STATEMENTS = 15


def kill_connection():
    """End this thread's connection as a restart of the server does."""
    connection.ensure_connection()
    info = connection.connection.info
    where = {"host": info.host, "port": info.port, "user": info.user, "dbname": info.dbname}
    with psycopg.connect(**where, password=info.password) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [info.backend_pid])


class Cut:
    """Kills the connection before one statement that follows the commit, or before each."""

    def __init__(self, at):
        self.at = at
        self.seen = 0
        self.is_armed = False
        self.has_cut = False

    def __call__(self, execute, *arguments):
        if self.is_armed:
            if self.at in (self.seen, "each"):
                self.has_cut = True
                kill_connection()
            self.seen += 1
        return execute(*arguments)


@pytest.fixture
def call(transactional_db, api, agent, monkeypatch):
    """Create, with the connection killed at a statement after the job was recorded."""

    def create(at, path="/v1/create", **changes):
        cut = Cut(at)
        wait = waiting.wait

        def armed(*arguments, **options):
            cut.is_armed = True
            return wait(*arguments, **options)

        with monkeypatch.context() as patch, connection.execute_wrapper(cut):
            patch.setattr(waiting, "wait", armed)
            answer = api.post(path, token=agent.token, json=BODY | changes)
        return answer, cut.has_cut

    return create


class TestAfterCommit:
    @pytest.mark.parametrize("is_completed", [False, True])
    def test_each_statement_lost_still_names_the_job(self, call, api, agent, drain, is_completed):
        job_id = api.post("/v1/create", token=agent.token, json=BODY).data["job_id"]
        if is_completed:
            drain()
        for at in range(MOST_STATEMENTS):
            answer, has_cut = call(at)
            if not has_cut:
                break
            assert answer.data["job_id"] == job_id
            assert answer.status == 202
            assert answer.data["job"]["status"] == "running"
            assert f"jobs wait {job_id}" in answer.data["recovery"]["suggested_command"]
            assert answer.envelope["warnings"]
        else:
            raise AssertionError("more statements than thought")
        assert at >= 2
        assert answer.status == (200 if is_completed else 202)
        assert Job.objects.count() == 1

    def test_of_an_edit_too(self, call, api, agent, drain, settings):
        settings.DAILY_JOBS_PREVIEW = 100
        api.post("/v1/create", token=agent.token, json=BODY)
        drain()
        asset_id = Job.objects.get().assets.get().public_id
        terms = {
            "model": "local.sketch-remix",
            "input_asset_id": asset_id,
            "accept_unknown_cost": True,
        }
        for at in range(MOST_STATEMENTS):
            answer, has_cut = call(at, "/v1/edit", **terms, idempotency_key=f"edit-{at}")
            assert answer.status == 202, answer.envelope
            assert Job.objects.filter(public_id=answer.data["job_id"]).exists()
            if not has_cut:
                break
        assert at >= 3

    def test_a_database_that_stays_away_is_not_waited_for_beyond_the_limit(self, call, settings):
        settings.CREATE_WAIT_S = 1

        answer, has_cut = call("each")

        assert has_cut
        assert answer.status == 202
        assert answer.data["job_id"] == Job.objects.get().public_id

    def test_one_that_comes_back_in_time_is_read_again(self, call, settings, drain, monkeypatch):
        settings.CREATE_WAIT_S = 20
        monkeypatch.setattr(waiting.wakeups.Waiter, "wait", lambda self, seconds: drain())

        answer, has_cut = call(0)

        assert has_cut
        assert answer.status == 200
        assert answer.data["job"]["status"] == "completed"


class TestUnreadable:
    @pytest.mark.parametrize("error", [OperationalError, InterfaceError])
    @pytest.mark.parametrize("timeout_s", [0, 0.1])
    def test_a_job_that_can_not_be_read_is_waited_for_in_vain_and_raises_nothing(
        self, monkeypatch, error, timeout_s
    ):
        def gone(*_, **__):
            raise error("the connection is closed")

        job = Job(public_id="job_x", status="queued")
        monkeypatch.setattr(Job, "refresh_from_db", gone)
        monkeypatch.setattr(waiting.database, "release_connection", lambda: None)
        assert waiting.wait(job, timeout_s=timeout_s) is False
        assert job.status == "queued"


class TestAtTheCommit:
    @pytest.fixture
    def cut_commit(self, transactional_db, monkeypatch):
        """Cut the connection at the commit that follows a step: before it, or after."""

        def cut(*, is_committed, step=(submit, "_create_job"), error=OperationalError):
            commit, take_step = DatabaseWrapper._commit, getattr(*step)
            armed = []

            def cut_commit(wrapper):
                if not armed:
                    return commit(wrapper)
                armed.clear()
                if is_committed:
                    commit(wrapper)
                kill_connection()
                raise error("terminating connection")

            def arm(*arguments):
                armed.append(True)
                return take_step(*arguments)

            monkeypatch.setattr(DatabaseWrapper, "_commit", cut_commit)
            monkeypatch.setattr(*step, arm)

        return cut

    @pytest.mark.parametrize("error", [OperationalError, InterfaceError])
    def test_lost_after_it_the_job_is_named_and_runs(self, api, agent, drain, cut_commit, error):
        cut_commit(is_committed=True, error=error)

        answer = api.post("/v1/create", token=agent.token, json=BODY)

        assert answer.status == 202
        assert "jobs.run" in drain()
        assert Job.objects.get().public_id == answer.data["job_id"]
        assert Job.objects.get().status == "completed"
        assert not list(hold_checks.problems())

    def test_lost_before_it_nothing_was_done(self, api, agent, cut_commit):
        cut_commit(is_committed=False)

        answer = api.post("/v1/create", token=agent.token, json=BODY)

        assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
        assert answer.error["recovery"]["idempotency_key"] == "once"
        assert "--idempotency-key once" in answer.error["recovery"]["suggested_command"]
        assert not Job.objects.exists()
        assert ledger.balances(agent.organization.pk).preview == 40

    @pytest.mark.parametrize("is_committed", [True, False])
    def test_an_upload_keeps_its_bytes_exactly_where_it_has_a_row(
        self, api, agent, client, drain, cut_commit, monkeypatch, is_committed
    ):
        deleted, delete = [], storage.delete
        monkeypatch.setattr(storage, "delete", lambda key: (deleted.append(key), delete(key)))
        cut_commit(is_committed=is_committed, step=(notifications, "publish_uploaded"))

        answer = api.post("/v1/upload", token=agent.token, json=upload_of(noise()))

        assert Asset.objects.count() == is_committed
        assert len(deleted) == (not is_committed)
        if not is_committed:
            assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
            return
        asset = answer.data["asset"]
        assert client.get("/a/" + asset["url"].rpartition("/")[2]).status_code == 200
        assert "jobs.thumbnail" in drain()

    def test_no_answer_says_nothing_was_done_where_that_is_unknown(
        self, api, agent, cut_commit, monkeypatch
    ):
        cut_commit(is_committed=True)
        monkeypatch.setattr(submit, "_is_committed", unknown)

        answer = api.post("/v1/create", token=agent.token, json=BODY)

        assert answer.code == "SERVICE_UNAVAILABLE"
        assert "nothing was done" not in answer.error["message"]
        assert answer.error["recovery"]["idempotency_key"] == "once"
        monkeypatch.undo()
        again = api.post("/v1/create", token=agent.token, json=BODY)
        assert again.data["job_id"] == Job.objects.get().public_id


def unknown(job):
    """Find the database gone for good."""
    connection.close()
    raise OperationalError("gone")
