"""Giving the database connection back before a long wait."""

from django.db import connection


def give_back() -> None:
    """Return this thread's connection to the pool; the next query takes one again.

    Whoever waits for a provider or a worker must not keep one: a few dozen waiters would leave
    none for everybody else. Inside a transaction it does nothing.
    """
    if not connection.in_atomic_block:
        connection.close()
