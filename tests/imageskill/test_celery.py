"""What surrounds each task: a clean context, although threads are reused."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog
from celery import current_app
from celery.signals import after_task_publish, beat_init, heartbeat_sent

from imageskill.celery import touch_heartbeat_file
from imageskill.lib import trace


@pytest.fixture
def run():
    """Run tasks as a worker does, one after the other in one thread."""
    with ThreadPoolExecutor(max_workers=1) as thread:

        def in_thread(function):
            return thread.submit(function).result()

        def as_task(function):
            task = current_app.task(function, name=f"tests.{function.__name__}", ignore_result=True)
            try:
                return in_thread(lambda: task.apply().get(disable_sync_subtasks=False))
            finally:
                current_app.tasks.unregister(task.name)

        as_task.in_thread = in_thread
        yield as_task


def context():
    return trace.current(), structlog.contextvars.get_contextvars()


def of_a_job():
    trace.begin("trace_of_a_job")
    structlog.contextvars.bind_contextvars(job_id="job_1")
    return context()


def failing():
    of_a_job()
    raise RuntimeError("a defect")


class TestTask:
    @pytest.mark.parametrize("before", [of_a_job, failing])
    def test_begins_with_a_trace_of_its_own_in_a_reused_thread(self, run, before):
        with contextlib.suppress(RuntimeError):
            run(before)

        first, second = run(context), run(context)

        assert len({"trace_of_a_job", first[0], second[0]}) == 3
        assert first[1] == {"trace_id": first[0]}
        assert second[1] == {"trace_id": second[0]}

    def test_leaves_nothing_to_lines_between_tasks(self, run):
        run(of_a_job)

        assert run.in_thread(structlog.contextvars.get_contextvars) == {}
        assert run.in_thread(trace.current) != "trace_of_a_job"


class TestOwn:
    def test_gives_one_item_a_trace_and_then_the_former_back(self):
        trace.begin("trace_of_the_batch")
        structlog.contextvars.bind_contextvars(batch=1)
        try:
            with trace.own() as own:
                structlog.contextvars.bind_contextvars(item=1)
                assert trace.current() == own != "trace_of_the_batch"
                assert structlog.contextvars.get_contextvars() == {"trace_id": own, "item": 1}
            assert context() == (
                "trace_of_the_batch",
                {"trace_id": "trace_of_the_batch", "batch": 1},
            )
        finally:
            trace.clear()


class TestHeartbeatFile:
    def test_is_touched_by_worker_and_scheduler_where_settings_name_one(self, settings, tmp_path):
        settings.HEARTBEAT_FILE = str(tmp_path / "heartbeat")
        heartbeat_sent.send(sender=None)
        Path(settings.HEARTBEAT_FILE).unlink()
        after_task_publish.send(sender="a.task")
        assert not Path(settings.HEARTBEAT_FILE).exists()  # a worker that sends a task proves less
        beat_init.send(sender=None)
        try:
            after_task_publish.send(sender="a.task")
            assert Path(settings.HEARTBEAT_FILE).exists()
        finally:
            after_task_publish.disconnect(touch_heartbeat_file)
