"""Lots: which purchase paid credits came from. Called under the organization's wallet lock.

What is left in an organization's lots is always the balance of its paid wallet.
"""

from collections import Counter

from django.db.models import F

from billing.models import Lot, LotPart


def create(*, organization_id: int, reference: str, credits: int) -> Lot:
    """Open the lot of a purchase or correction."""
    return Lot.objects.create(
        organization_id=organization_id, reference=reference, granted=credits, left=credits
    )


def consume(
    *, organization_id: int, reference: str, credits: int, first: str | None = None
) -> None:
    """Take credits for a job or reversal: from the lot named `first`, then oldest purchase first.

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
    """Give back what a job or reversal took: what it took last goes back first."""
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
        raise AssertionError(f"{reference} can't give back {missing} credits that it never took")
    LotPart.objects.bulk_update(touched, ["returned"])
    # A reversal takes from one lot twice when credits that come back settle what it left owed.
    # Hence the sum for each lot, added to the row itself: no part may bring a lot of its own.
    for lot_id, back in by_lot.items():
        Lot.objects.filter(pk=lot_id).update(left=F("left") + back)
