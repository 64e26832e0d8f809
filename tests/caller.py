"""Calling the API in-process, and running what it handed over: the fixtures `api` and `drain`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from celery import current_app
from django.test import Client

from tests import commands


@dataclass(frozen=True)
class Answer:
    """One answer of the API; asserts on the way in that it is an envelope."""

    status: int
    envelope: dict[str, Any]
    headers: dict[str, str]

    @property
    def data(self) -> Any:
        assert self.envelope["ok"], self.envelope["error"]
        return self.envelope["data"]

    @property
    def error(self) -> dict[str, Any]:
        assert not self.envelope["ok"], self.envelope["data"]
        return self.envelope["error"]

    @property
    def code(self) -> str | None:
        return None if self.envelope["ok"] else self.envelope["error"]["code"]

    @property
    def exit_code(self) -> int:
        return int(self.headers["x-image-skill-exit-code"])


class Caller:
    """Talks JSON to the API through Django's test client."""

    def __init__(self) -> None:
        self._client = Client(raise_request_exception=False)

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        raw: bytes | None = None,
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        body = raw if raw is not None else (b"" if json is None else _dumps(json))
        response = self._client.generic(
            method, path, data=body, content_type="application/json", headers=headers
        )
        envelope = _loads(response.content)
        assert set(envelope) == {
            "ok",
            "command",
            "trace_id",
            "actor",
            "data",
            "warnings",
            "error",
        }, envelope
        commands.check(envelope)
        return Answer(response.status_code, envelope, {k.lower(): v for k, v in response.items()})

    def get(self, path: str, **options: Any) -> Answer:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        return self.call("POST", path, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.call("DELETE", path, **options)


def _dumps(document: Any) -> bytes:
    return json.dumps(document).encode()


def _loads(content: bytes) -> Any:
    return json.loads(content)


@pytest.fixture
def api() -> Caller:
    """The API, as a caller without a browser sees it."""
    return Caller()


@pytest.fixture
def drain() -> Callable[..., list[str]]:
    """Run the tasks that wait on the real broker, inline, until none is left.

    Gives the names in the order they ran. Needs committed rows: use `transactional_db`, or
    `django_capture_on_commit_callbacks(execute=True)` around what enqueues.
    """

    def run(*, limit: int = 200) -> list[str]:
        ran: list[str] = []
        current_app.loader.import_default_modules()
        with current_app.connection_for_read() as connection:
            queues = [
                connection.SimpleQueue(queue.name)
                for queue in current_app.amqp.queues.values()  # every queue that workers serve
            ]
            while len(ran) < limit:
                message = _next(queues)
                if message is None:
                    return ran
                message.ack()
                name = message.headers["task"]
                _, arguments, _ = message.payload
                ran.append(name)
                current_app.tasks[name](**arguments)
        raise AssertionError(f"still busy after {limit} tasks: {ran[-5:]}")

    return run


def _next(queues: list[Any]) -> Any:
    for queue in queues:
        try:
            return queue.get(block=False)
        except queue.Empty:
            continue
    return None
