"""Tasks go to the broker after commit, or to whom a block gives them."""

import threading

import pytest
from celery import current_app
from django.db import transaction
from kombu import Producer
from kombu.exceptions import OperationalError

from imageskill.lib import queue


@pytest.mark.django_db(transaction=True)
class TestDeliveredBy:
    def test_the_block_s_tasks_come_after_their_commit(self):
        got = []
        with queue.delivered_by(lambda name, arguments: got.append((name, arguments))):
            with transaction.atomic():
                queue.enqueue("jobs.run", job_id="job_1")
                assert got == []
            assert got == [("jobs.run", {"job_id": "job_1"})]

    def test_later_ones_go_to_the_broker_again(self, monkeypatch):
        sent = []
        monkeypatch.setattr(
            "imageskill.lib.queue.current_app.send_task",
            lambda name, **more: sent.append(name),
            raising=False,
        )
        with queue.delivered_by(lambda name, arguments: None):
            queue.enqueue("jobs.run", job_id="job_1")
        queue.enqueue("jobs.sweep")
        assert sent == ["jobs.sweep"]


class TestOpenBroker:
    """What sending needs is there before the first caller: loading it held up all threads."""

    def test_each_connection_knows_the_queues(self, monkeypatch):
        declared = []
        monkeypatch.setattr(
            Producer, "maybe_declare", lambda self, entity: declared.append((entity.name, self))
        )
        queue.open_broker()
        assert sorted(name for name, _ in declared) == sorted(queue.QUEUES * queue.CONNECTIONS)
        assert len({id(producer) for _, producer in declared}) == queue.CONNECTIONS

    def test_threads_share_what_keeps_no_results(self):
        backends = []
        threads = [
            threading.Thread(target=lambda: backends.append(current_app.backend)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
            thread.join()
        assert backends[0] is backends[1]

    def test_the_process_starts_without_a_broker(self, monkeypatch):
        def refuse(*_: object) -> None:
            raise OperationalError

        monkeypatch.setattr(Producer, "maybe_declare", refuse)
        queue.open_broker()
