"""What each session of ours begins with, kept by the database for our role.

Not sent with each connection: PgBouncer refuses the startup parameter `options`, and what `SET`
says would stay with whichever connection it happened to be said on.
"""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import sql

SETTINGS = {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"}

_THERE = """
SELECT split_part(unnest(setconfig), '=', 1)
  FROM pg_db_role_setting
  JOIN pg_database ON pg_database.oid = setdatabase AND datname = current_database()
  JOIN pg_roles ON pg_roles.oid = setrole AND rolname = current_user
"""
_SET = "ALTER ROLE CURRENT_USER IN DATABASE {database} SET {name} = {value}"


def sync(*, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Set what nobody has set yet, as a receiver of `post_migrate`; an operator's values stay.

    Sessions that are open go on without.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(_THERE)
        there = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT current_database()")
        [database] = cursor.fetchone()
        for name, value in SETTINGS.items():
            if name not in there:
                statement = sql.SQL(_SET).format(
                    database=sql.Identifier(database),
                    name=sql.Identifier(name),
                    value=sql.Literal(value),
                )
                cursor.execute(statement)
