"""What can't work in production, for `imageskill-manage check --deploy`."""

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import Error as DatabaseFailure
from django.db import connection

from imageskill.lib.redis.client import RedisUnavailable, client

_OLDEST_POSTGRESQL = 16
_MARK = ".shared-by"
"""A file in the folder that machines share; Redis, which they do share, has what is in it."""


@register(Tags.staticfiles, deploy=True)
def check_static_files(**_: Any) -> list[CheckMessage]:
    """Refuse to go without `collectstatic`: every page would answer 500."""
    if Path(settings.STATIC_ROOT, "staticfiles.json").exists():
        return []
    hint = "Run `imageskill-manage collectstatic --noinput`; the container image has them."
    return [checks.Error("STATIC_ROOT holds no static files.", hint=hint, id="imageskill.E002")]


@register(Tags.files, deploy=True)
def check_shared_folder(**_: Any) -> list[CheckMessage]:
    """Refuse a folder of outputs that another machine has under the same name, but not the same.

    What one worker leaves there, any other continues with. The first machine marks the folder;
    nothing is wrong where outputs wait in the bucket.
    """
    if settings.S3_BUCKET and not settings.STAGING_DIR:
        return []
    folder = Path(settings.STAGING_DIR or settings.DATA_DIR)
    try:
        mark = _mark(folder)
        key = f"shared-folder:{folder}"
        client().set(key, mark, nx=True)
        known = str(client().get(key))
    except (OSError, RedisUnavailable) as error:
        message = f"Whether machines share {folder} can't be told ({type(error).__name__})."
        return [checks.Warning(message, id="imageskill.W004")]
    if known == mark:
        return []
    message = f"{folder} is not the folder that other machines have under this name."
    hint = (
        "Let all machines mount one folder there. If this one replaces it, run"
        f" `echo {known} > {folder / _MARK}`."
    )
    return [checks.Error(message, hint=hint, id="imageskill.E003")]


def _mark(folder: Path) -> str:
    """Return what marks a folder, made once."""
    file = folder / _MARK
    try:
        with file.open("x") as new:
            new.write(secrets.token_hex(8))
    except FileExistsError:
        pass
    return file.read_text().strip()


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
