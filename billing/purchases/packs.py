"""Credit packs on offer."""

from django.db.models import QuerySet

from billing.models import CreditPack
from imageskill.lib.errors import InvalidArguments

MIN_CREDITS = 1
MAX_CREDITS = 5000
CURRENCY = "USD"


def offered() -> QuerySet[CreditPack]:
    """Return the packs that can be bought now, smallest first."""
    packs: QuerySet[CreditPack] = CreditPack.objects.offered()
    return packs


def default_pack_id() -> str | None:
    """Return the id of the default pack, or None."""
    row = CreditPack.objects.filter(is_default=True).values_list("pack_id", flat=True).first()
    return None if row is None else str(row)


def find(pack_id: str) -> CreditPack:
    """Return a pack on offer; raises InvalidArguments for an unknown or withdrawn one."""
    pack = CreditPack.objects.filter(pack_id=pack_id, is_offered=True).first()
    if pack is None:
        raise InvalidArguments(
            "There is no such pack on offer.",
            details=[{"field": "pack_id", "message": "not a pack of `credits packs list`"}],
            recovery={"suggested_command": "image-skill credits packs list --json"},
        )
    offered_pack: CreditPack = pack
    return offered_pack
