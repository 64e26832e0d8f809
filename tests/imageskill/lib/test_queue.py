"""Tasks go to the broker after commit, or to whom a block gives them."""

import pytest
from django.db import transaction

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
