"""A balance of an organization with ten rows of history, beside one with a million."""

import statistics
import time
from collections.abc import Iterator

from django.db import connection, transaction

from accounts.models import Organization
from billing import ledger
from billing.chart import HOUSE_IDS, Purpose
from billing.models import Wallet
from tests.bench.house import House
from tests.bench.rows import Row

FEW, MANY = 12, 1_000_000
READS = 400
TARGET = 1.5

# History in bulk, as consistent as any: a credit that is added and taken away, over and over.
_TRANSFERS = """
INSERT INTO billing_transfer (key, kind, organization_id, source_id, target_id, credits, actor,
                              reason, reference, created_at)
SELECT format('bench:%%s:%%s', %(org)s, n),
       CASE n %% 2 WHEN 1 THEN 'adjust_preview_up' ELSE 'adjust_preview_down' END, %(org)s,
       CASE n %% 2 WHEN 1 THEN %(house)s ELSE %(preview)s END,
       CASE n %% 2 WHEN 1 THEN %(preview)s ELSE %(house)s END, 1, 'bench', '', 'bench', now()
  FROM generate_series(1, %(rows)s / 2 / 2 * 2) n ORDER BY n
"""
_ENTRIES = """
INSERT INTO billing_ledgerentry (transfer_id, wallet_id, credits, balance_after)
SELECT t.id, w.id,
       CASE w.id WHEN t.source_id THEN -1 ELSE 1 END,
       CASE WHEN t.target_id = %(house)s THEN 0 WHEN w.id = %(house)s THEN -1 ELSE 1 END
  FROM billing_transfer t JOIN billing_wallet w ON w.id IN (t.source_id, t.target_id)
 WHERE t.organization_id = %(org)s AND t.reference = 'bench' ORDER BY t.id
"""


def measure(house: House) -> Iterator[Row]:
    """Read both balances in turns, so that both meet the same machine."""
    few, many = _organization(FEW), _organization(MANY)
    times: dict[int, list[float]] = {few: [], many: []}
    for _ in range(READS):
        for org, taken in times.items():
            began = time.perf_counter()
            ledger.balances(org)
            taken.append((time.perf_counter() - began) * 1000)
    of_few, of_many = (statistics.median(times[org]) for org in (few, many))
    yield Row(
        f"balance with {MANY:,} entries of history, median",
        f"{of_many:.2f} ms",
        f"{of_few:.2f} ms with {FEW}",
        of_many / of_few,
        f"at most {TARGET}",
        of_many / of_few <= TARGET,
    )


def _organization(rows: int) -> int:
    with transaction.atomic():
        organization = Organization.objects.create()
        ledger.open_wallets(organization_id=organization.pk)
    wallet = Wallet.objects.get(organization=organization, purpose=Purpose.PREVIEW)
    house = HOUSE_IDS[Purpose.ADJUSTMENTS]
    values = {"org": organization.pk, "rows": rows, "preview": wallet.pk, "house": house}
    with transaction.atomic(), connection.cursor() as cursor:
        # Foreign keys and sums of a million rows are tested elsewhere; here they only take time.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_TRANSFERS, values)
        cursor.execute(_ENTRIES, values)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE billing_transfer, billing_ledgerentry, billing_wallet")
    return organization.pk
