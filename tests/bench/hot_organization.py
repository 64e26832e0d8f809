"""Holds and captures of one organization by many at once, beside the same rows by bare SQL."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

from django.db import connections, transaction

from accounts.models import Organization
from billing import ledger
from billing.chart import HOUSE_IDS, Purpose
from billing.ledger import checks
from billing.models import Wallet
from imageskill.lib import ids
from tests.bench.house import House
from tests.bench.rows import Row

SECONDS = 6
ROUNDS = 3
CLIENTS = 4
TARGET = 1 / 3

_LOCK = "SELECT id, balance FROM billing_wallet WHERE organization_id = %s ORDER BY id FOR UPDATE"
_LOCK_HOUSE = "SELECT id, balance FROM billing_wallet WHERE id = %s FOR UPDATE"
_TRANSFER = """
INSERT INTO billing_transfer (key, kind, organization_id, source_id, target_id, credits, actor,
                              reason, reference, created_at)
VALUES (%s, %s, %s, %s, %s, %s, 'bench', '', %s, now()) RETURNING id
"""
_ENTRIES = """
INSERT INTO billing_ledgerentry (transfer_id, wallet_id, credits, balance_after)
VALUES (%s, %s, %s, %s), (%s, %s, %s, %s)
"""
_BALANCE = "UPDATE billing_wallet SET balance = %s WHERE id = %s"
_HOLD = """
INSERT INTO billing_jobhold (job_id, organization_id, preview, paid, state, captured_preview,
                             captured_paid, created_at)
VALUES (%s, %s, %s, 0, 'open', 0, 0, now())
"""
_CLOSE = """
UPDATE billing_jobhold SET state = 'captured', captured_preview = %s, closed_at = now()
WHERE job_id = %s AND state = 'open'
"""


def measure(house: House) -> Iterator[Row]:
    """Alternate between the ledger and bare SQL, so that both meet the same machine."""
    org, other = _organization(), _organization()
    rates: dict[str, list[float]] = {"ledger": [], "bare": []}
    for _ in range(ROUNDS):
        rates["bare"].append(_rate(lambda number: _bare(other, f"bare_{number}")))
        rates["ledger"].append(_rate(lambda number: _ledger(org, f"job_{number}")))
    ledger_rate, bare_rate = max(rates["ledger"]), max(rates["bare"])
    ratio = ledger_rate / bare_rate
    problems = list(checks.ledger_problems())
    yield Row(
        f"holds and captures on one organization, {CLIENTS} clients",
        f"{ledger_rate:.0f} jobs/s",
        f"{bare_rate:.0f} jobs/s, the same rows by bare SQL",
        ratio,
        "at least 0.33",
        ratio >= TARGET and not problems,
    )


_numbers = count()


def _rate(job: Callable[[int], None]) -> float:
    """Return the jobs a second that so many clients bring to their end."""
    done = [0] * CLIENTS
    end = time.perf_counter() + SECONDS / ROUNDS

    def run(place: int) -> None:
        try:
            while time.perf_counter() < end:
                job(next(_numbers))
                done[place] += 1
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (SECONDS / ROUNDS)


def _organization() -> int:
    with transaction.atomic():
        organization = Organization.objects.create()
        ledger.open_wallets(organization_id=organization.pk)
        ledger.grant_preview(
            organization_id=organization.pk,
            credits=100_000_000,
            key=f"bench:{ids.random_text(8)}",
            actor="bench",
            reason="bench",
            reference="bench",
        )
    return organization.pk


def _ledger(org: int, job_id: str) -> None:
    with transaction.atomic():
        ledger.hold(organization_id=org, job_id=job_id, credits=9, actor="bench")
    with transaction.atomic():
        ledger.capture(organization_id=org, job_id=job_id, credits=9)


def _bare(org: int, job_id: str) -> None:
    """Write what a hold and a capture write, as plainly as SQL can."""
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(_LOCK, [org])
        balances = dict(cursor.fetchall())
        preview, held = _wallets(org)
        _move(cursor, org, job_id, "hold_preview", preview, held, balances)
        cursor.execute(_HOLD, [job_id, org, 9])
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(_LOCK, [org])
        balances = dict(cursor.fetchall())
        revenue = HOUSE_IDS[Purpose.REVENUE]
        cursor.execute(_LOCK_HOUSE, [revenue])
        balances |= dict(cursor.fetchall())
        _move(cursor, org, job_id, "capture", held, revenue, balances)
        cursor.execute(_CLOSE, [9, job_id])


def _move(cursor, org, job_id, kind, source, target, balances) -> None:  # type: ignore[no-untyped-def]
    cursor.execute(_TRANSFER, [f"{job_id}:{kind}", kind, org, source, target, 9, job_id])
    [transfer] = cursor.fetchone()
    left, got = balances[source] - 9, balances[target] + 9
    cursor.execute(_ENTRIES, [transfer, source, -9, left, transfer, target, 9, got])
    cursor.execute(_BALANCE, [left, source])
    cursor.execute(_BALANCE, [got, target])


_known: dict[int, tuple[int, int]] = {}


def _wallets(org: int) -> tuple[int, int]:
    if org not in _known:
        rows = dict(Wallet.objects.filter(organization_id=org).values_list("purpose", "pk"))
        _known[org] = (rows["preview"], rows["held"])
    return _known[org]
