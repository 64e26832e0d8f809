"""Celery's transport over Redis: kombu's, with channels that outlive their connection.

When a connection breaks, kombu closes its channels while tasks that came through them go on.
Putting their messages back and acknowledging them both need a connection that such a channel no
longer has. kombu raises AttributeError there, which Celery takes for a defect: the worker ends.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import structlog
from celery.worker import state
from kombu.transport import redis

from imageskill.lib.redis.client import client as redis_client

log = structlog.get_logger(__name__)


class QoS(redis.QoS):
    """The messages that a channel has delivered and that are not acknowledged yet."""

    def restore_unacked(self, client: Any = None) -> None:
        """Put back messages that no task works on; without Redis they stay where they are.

        A message that stays is acknowledged by its task, or comes back after the visibility
        timeout. Put back, it would run a second time beside the first.
        """
        delivered: dict[str, Any] = self._delivered or {}
        for tag, message in list(delivered.items()):
            if state.requests.get(message.headers.get("id")) in state.active_requests:
                del delivered[tag]
        try:
            super().restore_unacked(client)
        except redis.Transport.connection_errors as error:
            log.warning("messages_not_put_back", error=type(error).__name__)
            delivered.clear()


class Channel(redis.Channel):
    """A channel that can acknowledge and put back messages after its connection has gone."""

    QoS = QoS

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Generator[Any, None, None]:
        """Lend a client: the process's shared one where the channel has no connection."""
        is_connected = self.connection is not None and self.connection.client is not None
        if client is None and not is_connected:
            client = redis_client()
        with super().conn_or_acquire(client) as lent:
            yield lent


class Transport(redis.Transport):
    """kombu's Redis transport with our channels."""

    Channel = Channel
