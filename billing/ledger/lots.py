"""Lots: credit grants by purchase. Called under the organization's wallet lock.

What is left in an organization's lots always adds up to the balance of its paid wallet.
"""

from collections import Counter

from django.db.models import F

from billing.models import Lot, LotPart


def create(*, organization_id: int, reference: str, credits: int) -> Lot:
    """Create the lot of a purchase or adjustment."""
    return Lot.objects.create(
        organization_id=organization_id, reference=reference, granted=credits, left=credits
    )


def consume(
    *, organization_id: int, reference: str, credits: int, first: str | None = None
) -> None:
    """Consume credits for a job or reversal: of the lot named `first`, then oldest purchase first.

    The caller has checked the paid balance under the lock, so the lots suffice.
    """
    open_lots = list(Lot.objects.filter(organization_id=organization_id, left__gt=0).order_by("id"))
    open_lots.sort(key=lambda lot: lot.reference != first)
    parts, touched, missing = [], [], credits
    for lot in open_lots:
        if not missing:
            break
        taken = min(lot.left, missing)
        lot.left -= taken
        missing -= taken
        touched.append(lot)
        parts.append(LotPart(lot=lot, reference=reference, taken=taken))
    if missing:
        raise AssertionError(f"lots of organization {organization_id} lack {missing} credits")
    LotPart.objects.bulk_create(parts)
    Lot.objects.bulk_update(touched, ["left"])


def restore(*, reference: str, credits: int) -> None:
    """Return what a job or reversal consumed: what it consumed last is returned first."""
    parts = LotPart.objects.filter(reference=reference, taken__gt=F("returned"))
    touched, missing = [], credits
    by_lot: Counter[int] = Counter()
    for part in parts.order_by("-id"):
        if not missing:
            break
        back = min(part.taken - part.returned, missing)
        part.returned += back
        by_lot[part.lot_id] += back
        missing -= back
        touched.append(part)
    if missing:
        raise AssertionError(f"{reference} can't return {missing} credits that it never consumed")
    LotPart.objects.bulk_update(touched, ["returned"])
    # A reversal has two parts of one lot when returned credits settled what it left owed. Hence a
    # sum for each lot, added in the database: two copies of a row would overwrite each other.
    for lot_id, back in by_lot.items():
        Lot.objects.filter(pk=lot_id).update(left=F("left") + back)
