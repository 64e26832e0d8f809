"""The one primitive of the ledger (ADR 9): lock an organization's wallets, move credits once.

Everything here joins the caller's transaction (outside one, it refuses), because credits move
together with the row that says why, or not at all. Written in SQL, since every job passes through
it twice, one at a time for each organization.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from billing.chart import HOUSE_IDS, ORGANIZATION_PURPOSES, ROUTES, Purpose, TransferKind
from billing.models import Transfer
from imageskill.lib import clock


class TransferConflict(Exception):
    """A key was used before for a different transfer: two causes share one key."""


class Overdrawn(Exception):
    """An organization's wallet would fall below zero."""


class WalletsMissing(Exception):
    """The organization has no wallets; `ledger.open_wallets` creates them with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A transfer to be posted. Its kind decides both wallets, its key names the cause.

    `parent_keys` name the earlier transfer that this one follows; the first that exists counts.
    """

    key: str
    kind: TransferKind
    credits: int
    actor: str
    reason: str
    reference: str
    parent_keys: tuple[str, ...] = ()


class Wallets:
    """An organization's wallets, locked; the house's are added when a move needs them."""

    def __init__(self, organization_id: int) -> None:
        self.organization_id = organization_id
        self.ids: dict[Purpose, int] = {}
        self.balances: dict[Purpose, int] = {}
        self._lock(_LOCK_SQL, [organization_id])

    def __getitem__(self, purpose: Purpose) -> int:
        """Read a balance, under the lock."""
        return self.balances[purpose]

    def lock_house_wallets(self, purposes: Iterable[Purpose]) -> None:
        """Lock house wallets as well."""
        # After the organization's: locks are taken in primary-key order, and these are the highest.
        wanted = [HOUSE_IDS[purpose] for purpose in purposes if purpose not in self.ids]
        if wanted:
            self._lock(_LOCK_HOUSE_SQL, [wanted])

    def _lock(self, sql: str, values: Sequence[int | list[int]]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            for wallet_id, purpose, balance in cursor.fetchall():
                self.ids[Purpose(purpose)] = wallet_id
                self.balances[Purpose(purpose)] = balance


def lock(organization_id: int) -> Wallets:
    """Lock the four wallets of an organization, in primary-key order, until the commit."""
    # In autocommit the lock would end with its statement, before anything is checked under it.
    if connection.get_autocommit():
        raise transaction.TransactionManagementError("credits move inside a transaction only")
    wallets = Wallets(organization_id)
    if len(wallets.ids) != len(ORGANIZATION_PURPOSES):
        raise WalletsMissing(f"organization {organization_id} has {len(wallets.ids)} wallets")
    return wallets


def post(wallets: Wallets, moves: Sequence[Move], *, is_new: bool = False) -> list[Transfer]:
    """Post each move, or return the stored transfer where its cause was posted before.

    `is_new` saves a statement: the caller has looked its cause up under this lock, by a row that
    is written with the transfers. Their keys are unique anyway.

    Raises TransferConflict where the key belongs to a different transfer, Overdrawn where an
    organization's wallet has too little. Nothing is written then.
    """
    routes = [ROUTES[move.kind] for move in moves]
    ends = {end for route in routes for end in (route.source, route.target)}
    wallets.lock_house_wallets(ends & HOUSE_IDS.keys())
    stored: dict[str, Transfer] = {} if is_new else _stored_transfers(moves)
    fresh: list[Transfer] = []
    entries: list[_Entry] = []
    # A copy: if a later move is refused, the wallets keep the balances that the database has.
    balances = dict(wallets.balances)
    for move in moves:
        if move.key in stored:
            _check_same(stored[move.key], move, wallets.organization_id)
            continue
        stored[move.key] = _build_transfer(wallets, move, _find_parent(stored, move))
        fresh.append(stored[move.key])
        entries += _build_entries(wallets, move, balances)
    if fresh:
        _write(fresh, entries)
        wallets.balances = balances
    return [stored[move.key] for move in moves]


_Entry = tuple[str, int, int, int]  # key of the transfer, wallet, credits, balance after

_LOCK_SQL = """
SELECT id, purpose, balance FROM billing_wallet WHERE organization_id = %s
 ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_HOUSE_SQL = """
SELECT id, purpose, balance FROM billing_wallet WHERE id = ANY(%s)
 ORDER BY id FOR NO KEY UPDATE
"""
# Transfers, entries and balances in one statement, for one round trip while the wallets are locked.
# Entries are numbered in the order of the moves, since each states the balance that it left.
_WRITE_SQL = """
WITH moved AS (
    INSERT INTO billing_transfer (key, kind, organization_id, source_id, target_id, credits,
                                  actor, reason, reference, parent_id, created_at)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],
                         %s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[],
                         %s::timestamptz[])
    RETURNING id, key
), entered AS (
    INSERT INTO billing_ledgerentry (transfer_id, wallet_id, credits, balance_after)
    SELECT moved.id, entry.wallet_id, entry.credits, entry.balance_after
      FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) WITH ORDINALITY
           AS entry (key, wallet_id, credits, balance_after, place)
      JOIN moved USING (key)
     ORDER BY entry.place
), balanced AS (
    UPDATE billing_wallet SET balance = new.balance
      FROM unnest(%s::bigint[], %s::bigint[]) AS new (id, balance)
     WHERE billing_wallet.id = new.id
)
SELECT key, id FROM moved
"""
_COLUMNS = (
    *("key", "kind", "organization_id", "source_id", "target_id", "credits"),
    *("actor", "reason", "reference", "parent_id", "created_at"),
)


def _stored_transfers(moves: Sequence[Move]) -> dict[str, Transfer]:
    keys = [key for move in moves for key in (move.key, *move.parent_keys)]
    return {row.key: row for row in Transfer.objects.filter(key__in=keys)}


def _build_transfer(wallets: Wallets, move: Move, parent: Transfer | None) -> Transfer:
    route = ROUTES[move.kind]
    return Transfer(
        key=move.key,
        kind=move.kind,
        organization_id=wallets.organization_id,
        source_id=wallets.ids[route.source],
        target_id=wallets.ids[route.target],
        credits=move.credits,
        actor=move.actor,
        reason=move.reason,
        reference=move.reference,
        parent_id=None if parent is None else parent.pk,
        created_at=clock.now(),
    )


def _find_parent(stored: dict[str, Transfer], move: Move) -> Transfer | None:
    return next((stored[key] for key in move.parent_keys if key in stored), None)


def _build_entries(wallets: Wallets, move: Move, balances: dict[Purpose, int]) -> list[_Entry]:
    """Return the two entries of a move, and update the balances."""
    route = ROUTES[move.kind]
    available = balances[route.source]
    # Only an organization's wallets have a floor: the house's are the other side and may go below.
    if route.source in ORGANIZATION_PURPOSES and available < move.credits:
        raise Overdrawn(f"{move.key}: {available} in {route.source}, {move.credits} wanted")
    balances[route.source] -= move.credits
    balances[route.target] += move.credits
    return [
        (move.key, wallets.ids[route.source], -move.credits, balances[route.source]),
        (move.key, wallets.ids[route.target], move.credits, balances[route.target]),
    ]


def _write(transfers: list[Transfer], entries: list[_Entry]) -> None:
    # Of several entries in one wallet, the last one's balance is the wallet's.
    left = {wallet_id: balance for _, wallet_id, _, balance in entries}
    values = [
        *([getattr(transfer, column) for transfer in transfers] for column in _COLUMNS),
        *(list(column) for column in zip(*entries, strict=True)),
        list(left),
        list(left.values()),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_SQL, values)
        ids = dict(cursor.fetchall())
    for transfer in transfers:
        transfer.pk = ids[transfer.key]


def _check_same(stored: Transfer, move: Move, organization_id: int) -> None:
    # Actor and reason may differ: webhook, page and sweep may each post the same cause.
    terms = (stored.kind, stored.organization_id, stored.credits, stored.reference)
    if terms != (move.kind, organization_id, move.credits, move.reference):
        raise TransferConflict(f"{move.key} was posted before for a different transfer")
