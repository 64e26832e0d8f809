"""An organization's credits at a past moment, from the ledger."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import OuterRef, Subquery

from billing.chart import ORGANIZATION_PURPOSES, ROUTES, Purpose
from billing.ledger import Balances
from billing.models import LedgerEntry, Lot, LotPart, Transfer, Wallet

MAX_PARTS = 20_000  # of the lots in question
_DEBIT_KINDS = {kind for kind, route in ROUTES.items() if route.source == Purpose.PAID}
_RETURN_KINDS = {kind for kind, route in ROUTES.items() if route.target == Purpose.PAID}


def balances_at(organization_id: int, *, at: datetime) -> Balances:
    """Return the balance that each wallet's last entry by then left: one look-up a wallet.

    An organization's transfers and entries are written under one lock, so their keys and
    timestamps increase together.
    """
    last = Transfer.objects.filter(organization_id=organization_id, created_at__lte=at)
    newest = Subquery(last.order_by("-created_at", "-pk").values("pk")[:1])
    final = LedgerEntry.objects.filter(transfer_id=newest).order_by("-pk").values("pk")[:1]
    entries = LedgerEntry.objects.filter(wallet=OuterRef("pk"), pk__lte=Subquery(final))
    wallets = Wallet.objects.filter(organization_id=organization_id).annotate(
        then=Subquery(entries.order_by("-pk").values("balance_after")[:1])
    )
    balance_by_purpose = dict(wallets.values_list("purpose", "then"))
    return Balances(*(balance_by_purpose.get(purpose) or 0 for purpose in ORGANIZATION_PURPOSES))


def remaining_at(lots: Sequence[Lot], *, at: datetime) -> dict[int, int] | None:
    """Return what was left of each of one organization's lots, by primary key.

    None where more than 20,000 jobs and reversals consumed of them: too many to read.
    """
    if not lots:
        return {}
    references = LotPart.objects.filter(lot__in=lots).values("reference")
    parts = list(
        LotPart.objects.filter(reference__in=references)
        .order_by("pk")
        .values_list("lot_id", "reference", "taken")[: MAX_PARTS + 1]
    )
    if len(parts) > MAX_PARTS:
        return None
    flows = _paid_flows(lots[0].organization_id, {reference for _, reference, _ in parts}, at)
    by_reference: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for lot_id, reference, taken in parts:
        by_reference[reference].append((lot_id, taken))
    used: dict[int, int] = defaultdict(int)
    for reference, lot_parts in by_reference.items():
        for lot_id, credits in _net_per_lot(lot_parts, flows.get(reference, ())):
            used[lot_id] += credits
    return {lot.pk: lot.granted - used[lot.pk] for lot in lots}


def _paid_flows(
    organization_id: int, references: Iterable[str], at: datetime
) -> dict[str, list[int]]:
    """Return what each reference moved by then, in order: out of the paid wallet, or back."""
    rows = (
        Transfer.objects.filter(
            organization_id=organization_id,
            reference__in=list(references),
            kind__in=_DEBIT_KINDS | _RETURN_KINDS,
            created_at__lte=at,
        )
        .order_by("pk")
        .values_list("reference", "kind", "credits")
    )
    flows: dict[str, list[int]] = defaultdict(list)
    for reference, kind, credits in rows:
        flows[reference].append(credits if kind in _DEBIT_KINDS else -credits)
    return flows


def _net_per_lot(
    lot_parts: Sequence[tuple[int, int]], flows: Iterable[int]
) -> Iterable[tuple[int, int]]:
    """Return what is consumed of each lot: each outflow took the next parts, in whole.

    What flows back was returned from the end, as `billing.ledger.lots` does.
    """
    parts = iter(lot_parts)
    consumed: list[tuple[int, int]] = []
    for flow in flows:
        missing = flow
        while missing > 0:
            consumed.append(next(parts))
            missing -= consumed[-1][1]
        while missing < 0:
            lot_id, taken = consumed.pop()
            if taken + missing > 0:
                consumed.append((lot_id, taken + missing))
            missing += taken
    return consumed
