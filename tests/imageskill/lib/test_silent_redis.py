"""A Redis that accepts connections and never answers: requests go on, within their time."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from celery import current_app

from billing.models import StripeEvent
from imageskill.lib import queue
from imageskill.lib.redis import client as redis_client
from imageskill.lib.redis import ratelimit
from tests.billing.shop import shop

__all__ = ["shop"]


@pytest.fixture
def silent_redis(settings, monkeypatch) -> Iterator[None]:
    """Put in Redis' place a server that accepts and says nothing, for broker and client."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    accepted: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                accepted.append(listening.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    url = f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
    settings.REDIS_URL = url
    before = current_app.conf.broker_url
    _connect_to(url)
    yield
    _connect_to(before)
    listening.close()
    for connection in accepted:
        connection.close()


def _connect_to(broker_url: str) -> None:
    """Have this process make its connections anew, without a memory of silence."""
    current_app.conf.broker_url = broker_url
    current_app._after_fork()
    redis_client.client.cache_clear()
    redis_client._silent_until = queue._silent_until = 0.0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("silent_redis")
class TestRequests:
    def test_a_webhook_is_stored_and_answered_within_ten_seconds(self, shop, agent):
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        [event] = shop.events()[-1:]

        started_at = time.monotonic()
        answer = shop.post(event)

        assert answer.status_code == 200
        assert time.monotonic() - started_at < 8
        assert StripeEvent.objects.filter(event_id=event["id"]).exists()

    def test_a_create_answers_in_time_with_its_job(self, client, agent, settings):
        settings.CREATE_WAIT_S = 6

        started_at = time.monotonic()
        answer = client.post(
            "/v1/create",
            data={"prompt": "a lighthouse", "model": "local.sketch"},
            content_type="application/json",
            headers={"Authorization": f"Bearer {agent.token}"},
        )

        assert answer.status_code == 202, answer.content
        assert answer.json()["data"]["job_id"].startswith("job_")
        assert time.monotonic() - started_at < settings.CREATE_WAIT_S + 4


@pytest.mark.usefixtures("silent_redis")
class TestClient:
    def test_waits_once_then_fails_at_once_for_a_while(self):
        started_at = time.monotonic()
        ratelimit.consume("tests", "a", limit=1, per_s=60)  # logs and lets through
        first_s = time.monotonic() - started_at
        for _ in range(20):
            ratelimit.consume("tests", "a", limit=1, per_s=60)

        assert first_s < 2 * redis_client.TIMEOUT_S
        assert time.monotonic() - started_at - first_s < 1
