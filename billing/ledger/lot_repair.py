"""Repair of lots with a wrong rest: each is recalculated from its grant and its parts.

A part says what was consumed of a lot and what was returned, so the rest follows from them. It is
set only where the rests then add up to the paid wallet, whose entries are the ledger itself.
Otherwise the cause is another: it is reported and left unchanged.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts import audit
from accounts.models import Organization
from billing.chart import Purpose
from billing.ledger import posting
from billing.models import Lot, LotPart, Wallet

ACTOR = "manage.py repair_lots"

_PARTS = LotPart.objects.filter(lot=OuterRef("pk")).order_by().values("lot")
_TAKEN = _PARTS.annotate(total=Sum(F("taken") - F("returned"))).values("total")
_REST = F("granted") - Coalesce(Subquery(_TAKEN), 0)


class LotRest(NamedTuple):
    """The rest that a lot states, and its grant less its parts."""

    pk: int
    reference: str
    left: int
    rest: int

    @property
    def is_wrong(self) -> bool:
        """Whether the two differ."""
        return self.left != self.rest


class LotMismatch(NamedTuple):
    """An organization whose lots differ from their parts or from its paid wallet."""

    public_id: str  # of the organization
    paid: int
    lots: list[LotRest]

    @property
    def in_lots(self) -> int:
        """The sum that the lots state."""
        return sum(lot.left for lot in self.lots)

    @property
    def recalculated(self) -> int:
        """The sum of their grants less their parts."""
        return sum(lot.rest for lot in self.lots)

    @property
    def wrong(self) -> list[LotRest]:
        """The lots to be corrected."""
        return [lot for lot in self.lots if lot.is_wrong]

    @property
    def is_explained(self) -> bool:
        """Whether setting the wrong lots makes all of them add up to the paid wallet."""
        return self.recalculated == self.paid and all(lot.rest >= 0 for lot in self.lots)


def run(*, is_dry: bool) -> Iterator[LotMismatch]:
    """Yield the organizations whose lots are wrong; repair what is explained, unless dry.

    Each is examined under its wallet lock, in a transaction of its own. Repeated, it finds only
    what can't be explained.
    """
    for organization_id in _suspects():
        with transaction.atomic():
            mismatch = _examine(organization_id)
            if mismatch is not None and mismatch.is_explained and not is_dry:
                _repair(mismatch)
        if mismatch is not None:
            yield mismatch


def _suspects() -> list[int]:
    """Return the organizations to examine; those with movements right now may be among them."""
    lots = Lot.objects.annotate(rest=_REST).exclude(left=F("rest"))
    of_organization = Lot.objects.filter(organization=OuterRef("organization"), left__gt=0)
    in_lots = of_organization.order_by().values("organization").annotate(total=Sum("left"))
    wallets = (
        Wallet.objects.filter(purpose=Purpose.PAID)
        .annotate(in_lots=Coalesce(Subquery(in_lots.values("total")), 0))
        .exclude(balance=F("in_lots"))
    )
    ids = (rows.values_list("organization_id", flat=True) for rows in (lots, wallets))
    return sorted({organization_id for rows in ids for organization_id in rows})


def _examine(organization_id: int) -> LotMismatch | None:
    """Compare an organization's lots with their parts and its paid wallet; None if all agree."""
    paid = posting.lock(organization_id)[Purpose.PAID]
    rows = Lot.objects.filter(organization_id=organization_id).annotate(rest=_REST).order_by("id")
    lots = [LotRest(row.pk, row.reference, row.left, row.rest) for row in rows]
    public_id = Organization.objects.values_list("public_id", flat=True).get(pk=organization_id)
    mismatch = LotMismatch(public_id, paid, lots)
    return mismatch if mismatch.wrong or mismatch.in_lots != paid else None


def _repair(mismatch: LotMismatch) -> None:
    for lot in mismatch.wrong:
        Lot.objects.filter(pk=lot.pk).update(left=lot.rest)
    audit.record(
        user=None,
        actor=ACTOR,
        action="lots.repair",
        subject=mismatch.public_id,
        reason="Each lot is its grant less its parts; together they are the paid wallet.",
        before={"in lots": mismatch.in_lots} | {lot.reference: lot.left for lot in mismatch.wrong},
        after={"in lots": mismatch.paid} | {lot.reference: lot.rest for lot in mismatch.wrong},
    )
