"""S3 for many threads: one client a process, and no call that hangs."""

import threading
from typing import Any

from botocore.config import Config
from storages.backends import s3

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 20
"""Of a part of an answer; the library's own 60 s, four times over, would hold a thread too long."""
_ATTEMPTS = 2
_CONNECTIONS = 64  # as many threads as may send at once before one waits

_creating = threading.Lock()


class S3Storage(s3.S3Storage):  # type: ignore[misc]  # the library carries no types
    """The library's storage with a client that all threads share.

    The library makes one for each thread: 15 MB and half a second each. Clients of boto3 may be
    used by many threads at once, and of its resources only objects made for one call are used.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._shared: Any = None
        self.client_config: Config = self.client_config.merge(
            Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
                max_pool_connections=_CONNECTIONS,
            )
        )

    @property
    def connection(self) -> Any:
        """The process's own connection, made by the first thread that asks."""
        if self._shared is None:
            with _creating:
                if self._shared is None:
                    self._shared = super().connection
        return self._shared
