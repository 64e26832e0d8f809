"""What can't work in production, for `imageskill-manage check --deploy`."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import Error as DatabaseFailure
from django.db import connection

_OLDEST_POSTGRESQL = 16


@register(Tags.staticfiles, deploy=True)
def check_static_files(**_: Any) -> list[CheckMessage]:
    """Warn where `collectstatic` has not run: every page would answer 500."""
    if Path(settings.STATIC_ROOT, "staticfiles.json").exists():
        return []
    hint = "Run `imageskill-manage collectstatic --noinput`; the container image has them."
    return [checks.Warning("STATIC_ROOT holds no static files.", hint=hint, id="imageskill.W001")]


@register(Tags.compatibility, deploy=True)
def check_postgresql(**_: Any) -> list[CheckMessage]:
    """Refuse a PostgreSQL that is too old, and say where none answers."""
    try:
        connection.ensure_connection()
    except DatabaseFailure as error:
        hint = "Look at DATABASE_URL."
        message = f"PostgreSQL does not answer ({type(error).__name__})."
        return [checks.Warning(message, hint=hint, id="imageskill.W002")]
    version: int = connection.pg_version // 10_000  # type: ignore[attr-defined]
    if version >= _OLDEST_POSTGRESQL:
        return []
    message = f"PostgreSQL {version} is too old; {_OLDEST_POSTGRESQL} or newer is needed."
    return [checks.Error(message, id="imageskill.E001")]


@register(Tags.database, deploy=True)
def check_session_settings(**_: Any) -> list[CheckMessage]:
    """Warn where a session waits for locks without end: `migrate` has never set what it should."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            [timeout] = cursor.fetchone()
    except DatabaseFailure:
        return []  # told by `check_postgresql`
    if timeout != "0":
        return []
    hint = "Run `imageskill-manage bootstrap`; then let PgBouncer, where there is one, RECONNECT."
    message = "Sessions have no lock_timeout: one that hangs would hold up the others."
    return [checks.Warning(message, hint=hint, id="imageskill.W003")]
