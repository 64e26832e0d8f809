"""The transfers of a job: their keys, and which of them follows from which."""

from collections.abc import Mapping

from billing.chart import Kind
from billing.ledger.posting import Move

_KEYS = {
    Kind.HOLD_PREVIEW: "hold:preview",
    Kind.HOLD_PAID: "hold:paid",
    Kind.CAPTURE: "capture",
    Kind.RETURN_PREVIEW: "return:preview",
    Kind.RETURN_PAID: "return:paid",
}
# A capture may use up both holds; it follows from the one that is used first, if it was made.
_PARENTS = {
    Kind.CAPTURE: (Kind.HOLD_PREVIEW, Kind.HOLD_PAID),
    Kind.RETURN_PREVIEW: (Kind.HOLD_PREVIEW,),
    Kind.RETURN_PAID: (Kind.HOLD_PAID,),
}


def of(job_id: str, amounts: Mapping[Kind, int], *, actor: str, reason: str) -> list[Move]:
    """Make a job's moves from the credits of each kind; none where there are no credits."""
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


def _key(job_id: str, kind: Kind) -> str:
    return f"job:{job_id}:{_KEYS[kind]}"
