"""Debts: credits that were reversed after they were spent, and how later credits settle them."""

from billing.chart import Purpose, TransferKind
from billing.ledger import lots, posting
from billing.models import Clawback, Transfer

_SETTLEMENT_KINDS = {
    Clawback.Cause.REFUND: (TransferKind.REFUND_SETTLED, TransferKind.REFUND_OWED_SETTLED),
    Clawback.Cause.DISPUTE: (TransferKind.DISPUTE_SETTLED, TransferKind.DISPUTE_OWED_SETTLED),
}


def settle(
    wallets: posting.Wallets, *, cause: str, actor: str, parents: tuple[str, ...] = ()
) -> int:
    """Settle debts, oldest first, from the paid credits; return how many credits that took.

    Called under the wallet lock by whatever added paid credits; `cause` is its key.
    """
    due = min(wallets[Purpose.OWED], wallets[Purpose.PAID])
    settled = 0
    if not due:
        return settled
    for clawback in in_order(wallets.organization_id):
        credits = min(clawback.owed, due - settled)
        if credits:
            _settle_clawback(wallets, clawback, credits, cause=cause, actor=actor, parents=parents)
            settled += credits
    return settled


def in_order(organization_id: int, *, is_last_first: bool = False) -> list[Clawback]:
    """Return the clawbacks with a debt: of the oldest receipt first, then in the order they take.

    `is_last_first` turns the order within a receipt around.
    """
    indebted = list(
        Clawback.objects.filter(organization_id=organization_id, owed__gt=0).order_by("place", "id")
    )
    if is_last_first:
        indebted.reverse()
    oldest: dict[str, int] = {}
    for clawback in indebted:
        oldest[clawback.receipt_id] = min(clawback.pk, oldest.get(clawback.receipt_id, clawback.pk))
    return sorted(indebted, key=lambda clawback: oldest[clawback.receipt_id])


def settled_credits(grant: Transfer) -> int:
    """Return how many credits of a grant settled debts at once."""
    kinds = [owed_kind for _, owed_kind in _SETTLEMENT_KINDS.values()]
    children = Transfer.objects.filter(
        organization_id=grant.organization_id, parent=grant, kind__in=kinds
    )
    return sum(children.values_list("credits", flat=True))


def _settle_clawback(
    wallets: posting.Wallets,
    clawback: Clawback,
    credits: int,
    *,
    cause: str,
    actor: str,
    parents: tuple[str, ...],
) -> None:
    def move(kind: TransferKind, side: str, credits: int) -> posting.Move:
        return posting.Move(
            key=f"settle:{cause}:{clawback.reference}:{side}",
            kind=kind,
            credits=credits,
            actor=actor,
            reason="settles what a reversal left owed",
            reference=clawback.reference,
            parent_keys=parents,
        )

    paid_kind, owed_kind = _SETTLEMENT_KINDS[Clawback.Cause(clawback.cause)]
    moves = [move(paid_kind, "paid", credits), move(owed_kind, "owed", credits)]
    if clawback.state == Clawback.State.LOST:
        # A lost dispute leaves nothing in suspense: both halves go on to the losses.
        moves.append(move(TransferKind.DISPUTE_LOST, "lost", 2 * credits))
    posting.post(wallets, moves)
    lots.consume(
        organization_id=wallets.organization_id, reference=clawback.reference, credits=credits
    )
    clawback.owed -= credits
    clawback.taken += credits
    clawback.save(update_fields=["owed", "taken"])
