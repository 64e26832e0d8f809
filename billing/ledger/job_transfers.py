"""The transfers of a job: their keys and their parents."""

from collections.abc import Mapping

from billing.chart import TransferKind
from billing.ledger.posting import Move

_KEYS = {
    TransferKind.HOLD_PREVIEW: "hold:preview",
    TransferKind.HOLD_PAID: "hold:paid",
    TransferKind.CAPTURE: "capture",
    TransferKind.RETURN_PREVIEW: "return:preview",
    TransferKind.RETURN_PAID: "return:paid",
}
# A capture may consume both holds; its parent is the one consumed first, where that exists.
_PARENTS = {
    TransferKind.CAPTURE: (TransferKind.HOLD_PREVIEW, TransferKind.HOLD_PAID),
    TransferKind.RETURN_PREVIEW: (TransferKind.HOLD_PREVIEW,),
    TransferKind.RETURN_PAID: (TransferKind.HOLD_PAID,),
}


def build(
    job_id: str, amounts: Mapping[TransferKind, int], *, actor: str, reason: str
) -> list[Move]:
    """Return a job's moves from the credits of each kind; none for zero credits."""
    return [
        Move(
            key=_key(job_id, kind),
            parent_keys=tuple(_key(job_id, parent) for parent in _PARENTS.get(kind, ())),
            kind=kind,
            credits=credits,
            actor=actor,
            reason=reason,
            reference=job_id,
        )
        for kind, credits in amounts.items()
        if credits
    ]


def _key(job_id: str, kind: TransferKind) -> str:
    return f"job:{job_id}:{_KEYS[kind]}"
