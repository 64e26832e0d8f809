"""The database backend: Django's, with each pooled connection checked when it is taken."""

from datetime import timedelta
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from imageskill.lib import clock

_QUICK = timedelta(seconds=0.5)  # an answer that took longer tells too little of the time


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of PostgreSQL, taken from the pool only if its server still answers."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Take a connection; one that is dead is discarded with all that wait in the pool.

        A restarted server has broken them all. The pool's own check, `CONN_HEALTH_CHECKS`, tries
        one after the other and pauses for 0, 1, 2, 4, … s between them: with more than five of
        them the caller's time is up. The check asks for the time, which our clock follows.
        """
        taken = super().get_new_connection(conn_params)
        if self.pool is None or _answers(taken):
            return taken
        self.pool.putconn(taken)
        self.pool.drain()
        return super().get_new_connection(conn_params)


def _answers(connection: psycopg.Connection[Any]) -> bool:
    asked_at = clock.machine_time()
    try:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.rollback()
    except psycopg.Error:
        return False
    took = clock.machine_time() - asked_at
    if row and timedelta() <= took < _QUICK:
        clock.follow(row[0], read_at=asked_at + took / 2)
    return True
