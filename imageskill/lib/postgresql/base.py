"""The database backend: Django's, with each pooled connection checked when it is taken."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of PostgreSQL, taken from the pool only if its server still answers."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Take a connection; one that is dead is discarded with all that wait in the pool.

        A restarted server has broken them all. The pool's own check, `CONN_HEALTH_CHECKS`, tries
        one after the other and pauses for 0, 1, 2, 4, … s between them: with more than five of
        them the caller's time is up.
        """
        taken = super().get_new_connection(conn_params)
        if self.pool is None or _answers(taken):
            return taken
        self.pool.putconn(taken)
        self.pool.drain()
        return super().get_new_connection(conn_params)


def _answers(connection: psycopg.Connection[Any]) -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.Error:
        return False
    return True
