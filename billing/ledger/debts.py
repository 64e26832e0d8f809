"""Debts: what reversals took after it was spent, and how later credits settle it."""

from billing.chart import Kind, Purpose
from billing.ledger import lots, posting
from billing.models import Taking, Transfer

_SETTLED = {
    Taking.Cause.REFUND: (Kind.REFUND_SETTLED, Kind.REFUND_OWED_SETTLED),
    Taking.Cause.DISPUTE: (Kind.DISPUTE_SETTLED, Kind.DISPUTE_OWED_SETTLED),
}


def settle(
    wallets: posting.Wallets, *, cause: str, actor: str, parents: tuple[str, ...] = ()
) -> int:
    """Pay debts, oldest first, from the paid credits there are; give how many were paid.

    Called under the wallet lock by whatever brought paid credits; `cause` is its key.
    """
    due = min(wallets[Purpose.OWED], wallets[Purpose.PAID])
    settled = 0
    if not due:
        return settled
    debts = Taking.objects.filter(organization_id=wallets.organization_id, owed__gt=0)
    for taking in debts.order_by("id"):
        credits = min(taking.owed, due - settled)
        if credits:
            _pay(wallets, taking, credits, cause=cause, actor=actor, parents=parents)
            settled += credits
    return settled


def settled_by(grant: Transfer) -> int:
    """Give how much of a grant went into debts at once."""
    kinds = [owed_kind for _, owed_kind in _SETTLED.values()]
    children = Transfer.objects.filter(
        organization_id=grant.organization_id, parent=grant, kind__in=kinds
    )
    return sum(children.values_list("credits", flat=True))


def _pay(
    wallets: posting.Wallets,
    taking: Taking,
    credits: int,
    *,
    cause: str,
    actor: str,
    parents: tuple[str, ...],
) -> None:
    def move(kind: Kind, side: str, credits: int) -> posting.Move:
        return posting.Move(
            key=f"settle:{cause}:{taking.reference}:{side}",
            kind=kind,
            credits=credits,
            actor=actor,
            reason="settles what a reversal left owed",
            reference=taking.reference,
            parent_keys=parents,
        )

    paid_kind, owed_kind = _SETTLED[Taking.Cause(taking.cause)]
    moves = [move(paid_kind, "paid", credits), move(owed_kind, "owed", credits)]
    if taking.state == Taking.State.LOST:
        # A lost dispute leaves nothing in suspense: both halves go on to the losses.
        moves.append(move(Kind.DISPUTE_LOST, "lost", 2 * credits))
    posting.post(wallets, moves)
    lots.take(organization_id=wallets.organization_id, reference=taking.reference, credits=credits)
    taking.owed -= credits
    taking.taken += credits
    taking.save(update_fields=["owed", "taken"])
