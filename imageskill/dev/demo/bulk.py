"""Many more rows for measuring, written by the database itself (`bulk.sql`); images are shared.

There is an organization with one agent for each hundred jobs. Their credits balance like any
others; the entries of a wallet follow one another as they would have.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts import grants
from billing.chart import HOUSE_IDS, Purpose
from imageskill.lib import clock
from jobs.models import Asset

_AT_ONCE = 100_000  # jobs in a transaction: what waits for the commit has to fit into memory
_JOBS_OF_AN_AGENT = 100
_PRICE = 7
_DAYS = 365
_Say = Callable[[str], None]

_STEPS = [
    step.split("\n", 1)
    for step in Path(__file__).with_suffix(".sql").read_text().split("\n-- == ")[1:]
]
_BEFORE = {
    "agents_before": "accounts_agent",
    "jobs_before": "jobs_job",
    "assets_before": "jobs_asset",
    "transfers_before": "billing_transfer",
}


def add(*, jobs: int, say: _Say) -> None:
    """Add jobs with all that belongs to them, a hundred thousand in a transaction."""
    now = clock.now()
    # An upload's bytes go one day; what a job made stays.
    made = Asset.objects.filter(kind=Asset.Kind.GENERATED)
    image = made.exclude(thumbnail_key="").exclude(storage_key="").first()
    values: dict[str, Any] = {
        "tag": f"bulk {now.timestamp()}",
        "begin": now - timedelta(days=_DAYS),
        "end": now,
        "total": jobs,
        "price": _PRICE,
        "jobs_of_an_agent": _JOBS_OF_AN_AGENT,
        "grants": list(grants.NEW_AGENT_GRANTS),
        "promotions": HOUSE_IDS[Purpose.PROMOTIONS],
        "revenue": HOUSE_IDS[Purpose.REVENUE],
        "storage_key": image.storage_key if image else "",
        "thumbnail_key": image.thumbnail_key if image else "",
        "length": image.content_length if image else 1,
        "width": image.width if image else 1,
        "height": image.height if image else 1,
    }
    for first in range(1, jobs + 1, _AT_ONCE):
        last = min(first + _AT_ONCE - 1, jobs)
        _add(values | {"first": first, "last": last}, say, f"up to {last:,} of {jobs:,}")
    say("gathering statistics")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _add(values: dict[str, Any], say: _Say, where: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # The house's wallets, so that nobody's entries come between ours.
        cursor.execute(
            "SELECT FROM billing_wallet WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
            [list(HOUSE_IDS.values())],
        )
        for name, table in _BEFORE.items():
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608 - our own
            values[name] = cursor.fetchone()[0]
        _skip_triggers(cursor)
        for what, statement in _STEPS:
            say(f"{what} {where}")
            cursor.execute(statement, values)


def _skip_triggers(cursor: CursorWrapper) -> None:
    """Where the database lets us, leave out checking foreign keys and sums row by row.

    Nothing is lost by that: `check_books` looks at the whole afterwards.
    """
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if cursor.fetchone()[0]:
        cursor.execute("SET LOCAL session_replication_role = replica")
