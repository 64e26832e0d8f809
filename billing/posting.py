"""The one primitive of the ledger: lock an organization's wallets, then move credits once.

Everything here joins the caller's transaction (Django refuses a row lock outside one), because
credits move together with the row that says why, or not at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import models

from billing.chart import HOUSE_IDS, ORGANIZATION, ROUTES, Kind, Purpose
from billing.models import LedgerEntry, Transfer, Wallet


class TransferConflict(Exception):
    """A key was used before, for other terms: two causes claim one name."""


class Overdrawn(Exception):
    """An organization's wallet would fall below zero."""


class WalletsMissing(Exception):
    """The organization has no wallets; `ledger.open_wallets` makes them with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A transfer to be made. Its kind says from where to where, its key says which cause.

    `parent_keys` name the earlier transfer that this one follows from, the first that exists.
    """

    key: str
    kind: Kind
    credits: int
    actor: str
    reason: str
    reference: str
    parent_keys: tuple[str, ...] = ()


class Wallets:
    """An organization's wallets, locked; the house's join when a move needs them."""

    def __init__(self, organization_id: int, rows: Iterable[Wallet]) -> None:
        self.organization_id = organization_id
        self.by_purpose = {Purpose(row.purpose): row for row in rows}

    def __getitem__(self, purpose: Purpose) -> int:
        """Read a balance, under the lock."""
        return self.by_purpose[purpose].balance

    def lock_house(self, purposes: Iterable[Purpose]) -> None:
        """Lock further wallets of the house, after the organization's: their keys are higher."""
        wanted = [HOUSE_IDS[purpose] for purpose in purposes if purpose not in self.by_purpose]
        if wanted:
            rows = _locked(Wallet.objects.filter(pk__in=wanted))
            self.by_purpose |= {Purpose(row.purpose): row for row in rows}


def lock(organization_id: int) -> Wallets:
    """Lock the four wallets of an organization, in primary-key order, until the commit."""
    rows = _locked(Wallet.objects.filter(organization_id=organization_id))
    if len(rows) != len(ORGANIZATION):
        raise WalletsMissing(f"organization {organization_id} has {len(rows)} wallets")
    return Wallets(organization_id, rows)


def post(wallets: Wallets, moves: Sequence[Move], *, is_new: bool = False) -> list[Transfer]:
    """Make each move, or give the stored transfer where its cause was posted before.

    `is_new` saves the look: the caller has looked its cause up under this lock, by a row that is
    written with the transfers. Their keys are unique all the same.

    Raises TransferConflict where the key stands for other terms, Overdrawn where an
    organization's wallet has too little. Nothing is written then.
    """
    routes = [ROUTES[move.kind] for move in moves]
    ends = {end for route in routes for end in (route.source, route.target)}
    wallets.lock_house(ends & HOUSE_IDS.keys())
    stored: dict[str, Transfer] = {} if is_new else _stored(moves)
    fresh: list[Transfer] = []
    entries: list[LedgerEntry] = []
    for move in moves:
        if move.key in stored:
            _check_same(stored[move.key], move, wallets.organization_id)
            continue
        transfer = _transfer(wallets, move, _parent(stored, move))
        stored[move.key] = transfer
        fresh.append(transfer)
        entries += _entries(wallets, move, transfer)
    if fresh:
        Transfer.objects.bulk_create(fresh)
        LedgerEntry.objects.bulk_create(entries)
        touched = {entry.wallet_id: entry.wallet for entry in entries}
        Wallet.objects.bulk_update(touched.values(), ["balance"])
    return [stored[move.key] for move in moves]


def _stored(moves: Sequence[Move]) -> dict[str, Transfer]:
    keys = [key for move in moves for key in (move.key, *move.parent_keys)]
    return {row.key: row for row in Transfer.objects.filter(key__in=keys)}


def _locked(rows: models.QuerySet[Wallet]) -> list[Wallet]:
    return list(rows.order_by("pk").select_for_update(no_key=True))


def _transfer(wallets: Wallets, move: Move, parent: Transfer | None) -> Transfer:
    route = ROUTES[move.kind]
    return Transfer(
        key=move.key,
        kind=move.kind,
        organization_id=wallets.organization_id,
        source=wallets.by_purpose[route.source],
        target=wallets.by_purpose[route.target],
        credits=move.credits,
        actor=move.actor,
        reason=move.reason,
        reference=move.reference,
        parent=parent,
    )


def _parent(stored: dict[str, Transfer], move: Move) -> Transfer | None:
    return next((stored[key] for key in move.parent_keys if key in stored), None)


def _entries(wallets: Wallets, move: Move, transfer: Transfer) -> list[LedgerEntry]:
    source, target = transfer.source, transfer.target
    if source.organization_id is not None and source.balance < move.credits:
        raise Overdrawn(f"{move.key}: {source.balance} in {source.purpose}, {move.credits} wanted")
    source.balance -= move.credits
    target.balance += move.credits
    return [
        LedgerEntry(
            transfer=transfer, wallet=source, credits=-move.credits, balance_after=source.balance
        ),
        LedgerEntry(
            transfer=transfer, wallet=target, credits=move.credits, balance_after=target.balance
        ),
    ]


def _check_same(stored: Transfer, move: Move, organization_id: int) -> None:
    terms = (stored.kind, stored.organization_id, stored.credits, stored.reference)
    if terms != (move.kind, organization_id, move.credits, move.reference):
        raise TransferConflict(f"{move.key} was posted before, for other terms")
