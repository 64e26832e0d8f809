"""Tests that commit: afterwards the database holds again what the migrations put there.

Django would empty every table, and so take away groups, packs and system wallets from all tests
that follow in the same process.
"""

import os
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from pytest_django.plugin import DjangoDbBlocker

_TABLES = """
    SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND c.relname <> 'django_migrations'
    GROUP BY c.relname ORDER BY c.relname
"""
_LONG = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)
      AND pg_relation_size(oid) > 1000000
"""
_REFUSALS = """
    SELECT tgrelid::regclass::text, quote_ident(tgname)
    FROM pg_trigger WHERE tgname LIKE '%\\_is\\_never\\_truncated'
"""


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Make test databases from the migrated one, where the server is ours and has it."""
    connection.settings_dict["TEST"]["TEMPLATE"] = os.environ.get("TEST_DATABASE_TEMPLATE")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep a copy of the freshly migrated tables, and have Django's tests go back to it."""
    original = TransactionTestCase._fixture_teardown
    with django_db_blocker.unblock():
        _copy()
    TransactionTestCase._fixture_teardown = lambda self: restore()
    yield
    TransactionTestCase._fixture_teardown = original


def _copy() -> None:
    with connection.cursor() as cursor:
        # Going back empties tables that refuse it elsewhere.
        cursor.execute(_REFUSALS)
        for table, trigger in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        cursor.execute("DROP SCHEMA IF EXISTS migrated CASCADE; CREATE SCHEMA migrated")
        for table in _with_rows(cursor):
            cursor.execute(f'CREATE TABLE migrated."{table}" AS TABLE public."{table}"')


def restore() -> None:
    """Empty what has rows, then put the copied ones back."""
    with transaction.atomic(), connection.cursor() as cursor:
        # As a replica: no triggers that refuse, no foreign keys. DELETE is four times as quick as
        # TRUNCATE for a few rows; long tables are cut, or their dead rows would slow what follows.
        cursor.execute("SET LOCAL session_replication_role = replica")
        tables = _with_rows(cursor)
        cursor.execute(_LONG, [tables])
        long = {table for (table,) in cursor.fetchall()}
        for table in set(tables) - long:
            cursor.execute(f'DELETE FROM "{table}"')
        if long:
            names = ", ".join(f'"{table}"' for table in long)
            cursor.execute(f"TRUNCATE {names} CASCADE")
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = 'migrated'::regnamespace")
        copied = {name for (name,) in cursor.fetchall()}
        cursor.execute(_TABLES)
        cursor.execute(
            ";".join(
                f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM migrated."{table}"'
                for table, columns in cursor.fetchall()
                if table in copied
            )
        )


def _with_rows(cursor) -> list[str]:
    cursor.execute(_TABLES)
    tables = [table for table, _ in cursor.fetchall()]
    cursor.execute(
        " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in tables
        )
    )
    return [table for (table,) in cursor.fetchall()]
