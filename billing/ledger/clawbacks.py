"""Clawbacks: what refunds and disputes debit, and how that ends (ADR 9).

Each function joins the caller's transaction and moves credits once. The purchase's own credits are
debited first; those that were spent already become a debt. The transfers of each case:

    case               credits not spent      spent: a debt          debt written off before
    refund             paid -> payments       payments -> owed
    refund failed      payments -> paid       owed -> payments       losses -> payments
    dispute            paid -> suspense       suspense -> owed
    dispute won        suspense -> paid       owed -> suspense       losses -> suspense
    dispute lost       suspense -> losses     losses -> suspense     losses -> suspense
    debt written off                          owed -> losses

A debt that later credits settle (`billing.ledger.debts`) moves to the first column.
"""

from typing import NamedTuple

from billing.chart import Purpose, TransferKind
from billing.ledger import debts, lots, posting
from billing.models import Clawback

_Cause, _State = Clawback.Cause, Clawback.State

_DEBIT_KINDS = {
    _Cause.REFUND: (TransferKind.REFUND, TransferKind.REFUND_OWED),
    _Cause.DISPUTE: (TransferKind.DISPUTE, TransferKind.DISPUTE_OWED),
}
_UNDO_KINDS = {
    _Cause.REFUND: (
        TransferKind.REFUND_UNDONE,
        TransferKind.REFUND_OWED_UNDONE,
        TransferKind.REFUND_LOSS_RECOVERED,
    ),
    _Cause.DISPUTE: (
        TransferKind.DISPUTE_WON,
        TransferKind.DISPUTE_OWED_WON,
        TransferKind.DISPUTE_LOSS_RECOVERED,
    ),
}


class ClawbackClosed(Exception):
    """The clawback has ended: a lost dispute is not undone, an undone one not lost."""


class ClawbackAmounts(NamedTuple):
    """What a reversal debited: credits that were there, and the debt for the rest."""

    taken: int
    owed: int


class ReinstatedAmounts(NamedTuple):
    """What undoing a clawback moved: to the organization, off its debt, and out of the losses."""

    returned: int
    forgiven: int
    recovered: int


def debit(
    *,
    organization_id: int,
    reversal_id: str,
    receipt_id: str,
    cause: Clawback.Cause,
    key: str,
    credits: int,
    actor: str,
) -> ClawbackAmounts:
    """Debit a reversal's credits from an organization, once; what is not there is owed.

    `key` names the cause as the vendor does: `refund:<re_…>`, `dispute:<du_…>:withdrawn`.
    """
    wallets = posting.lock(organization_id)
    if Clawback.objects.filter(cause_key=key).exists():
        raise posting.TransferConflict(f"{key} has debited its credits already")
    # No wallet of an organization may go below zero: the part that was spent is a debt instead.
    available = min(wallets[Purpose.PAID], credits)
    amounts = ClawbackAmounts(available, credits - available)
    paid_kind, owed_kind = _DEBIT_KINDS[cause]
    posting.post(
        wallets,
        _build_moves(
            {(paid_kind, key): amounts.taken, (owed_kind, f"{key}:owed"): amounts.owed},
            reference=reversal_id,
            actor=actor,
            reason=f"{cause} of {receipt_id}",
        ),
    )
    if amounts.taken:
        lots.consume(
            organization_id=organization_id,
            reference=reversal_id,
            credits=amounts.taken,
            first=receipt_id,
        )
    Clawback.objects.create(
        reference=reversal_id,
        cause_key=key,
        organization_id=organization_id,
        receipt_id=receipt_id,
        cause=cause,
        taken=amounts.taken,
        owed=amounts.owed,
    )
    return amounts


def undo(*, reversal_id: str, actor: str, reason: str) -> ReinstatedAmounts:
    """Return exactly what a reversal debited, and forgive what it left owed.

    Returned credits settle other debts first. Repeated, it moves nothing. Raises ClawbackClosed
    for a dispute that was lost.
    """
    wallets, clawback = _lock_clawback(reversal_id)
    if clawback.state == _State.UNDONE:
        return ReinstatedAmounts(0, 0, 0)
    if clawback.state == _State.LOST:
        raise ClawbackClosed(f"{reversal_id} is lost")
    amounts = ReinstatedAmounts(clawback.taken, clawback.owed, clawback.written_off)
    key = f"{clawback.cause_key}:undone"
    paid_kind, owed_kind, loss_kind = _UNDO_KINDS[_Cause(clawback.cause)]
    posting.post(
        wallets,
        _build_moves(
            {
                (paid_kind, key): amounts.returned,
                (owed_kind, f"{key}:owed"): amounts.forgiven,
                (loss_kind, f"{key}:loss"): amounts.recovered,
            },
            reference=reversal_id,
            actor=actor,
            reason=reason,
            parents=(clawback.cause_key,),
        ),
    )
    # Nothing of it is in force any more; the transfers keep the history.
    clawback.state, clawback.taken, clawback.owed, clawback.written_off = _State.UNDONE, 0, 0, 0
    clawback.save(update_fields=["state", "taken", "owed", "written_off"])
    if amounts.returned:
        lots.restore(reference=reversal_id, credits=amounts.returned)
        # After its own debt is forgiven: only what other reversals left owed is settled here.
        debts.settle(wallets, cause=key, actor=actor)
    return amounts


def book_loss(*, reversal_id: str, actor: str) -> int:
    """Move a lost dispute out of suspense; return what the house has lost by it so far.

    Repeated, it moves nothing. Raises ClawbackClosed where the dispute was undone.
    """
    wallets, clawback = _lock_clawback(reversal_id)
    # What it left in suspense: the credits that were debited, less the other side of its debt.
    lost = clawback.taken - clawback.owed - clawback.written_off
    if clawback.state == _State.LOST:
        return lost
    if clawback.state != _State.OPEN or clawback.cause != _Cause.DISPUTE:
        raise ClawbackClosed(f"{reversal_id} is {clawback.state}")
    key = f"{clawback.cause_key}:lost"
    posting.post(
        wallets,
        _build_moves(
            {
                (TransferKind.DISPUTE_LOST, key): clawback.taken,
                (TransferKind.DISPUTE_LOST_OWED, f"{key}:owed"): clawback.owed
                + clawback.written_off,
            },
            reference=reversal_id,
            actor=actor,
            reason="dispute lost",
            parents=(clawback.cause_key,),
        ),
    )
    clawback.state = _State.LOST
    clawback.save(update_fields=["state"])
    return lost


def write_off(*, organization_id: int, credits: int, key: str, actor: str, reason: str) -> int:
    """Write off what an organization owes, oldest debt first; return how much it was.

    Never more than is owed by now, whatever was requested.
    """
    wallets = posting.lock(organization_id)
    left = min(credits, wallets[Purpose.OWED])
    total = left
    indebted = Clawback.objects.filter(organization_id=organization_id, owed__gt=0)
    for clawback in indebted.order_by("id"):
        part = min(clawback.owed, left)
        if not part:
            break
        move = {(TransferKind.WRITE_OFF, f"write_off:{key}:{clawback.reference}"): part}
        posting.post(
            wallets, _build_moves(move, reference=clawback.reference, actor=actor, reason=reason)
        )
        clawback.owed -= part
        clawback.written_off += part
        clawback.save(update_fields=["owed", "written_off"])
        left -= part
    return total


def credits_in_force(receipt_id: str) -> int:
    """Return how many of a receipt's credits its reversals have debited and not returned."""
    rows = Clawback.objects.filter(receipt_id=receipt_id).exclude(state=_State.UNDONE)
    return sum(row.taken + row.owed + row.written_off for row in rows)


def _lock_clawback(reversal_id: str) -> tuple[posting.Wallets, Clawback]:
    organization_id = Clawback.objects.values_list("organization_id", flat=True).get(
        reference=reversal_id
    )
    # The row is read again under the wallet lock, which every change of it goes through.
    wallets = posting.lock(organization_id)
    return wallets, Clawback.objects.get(reference=reversal_id)


def _build_moves(
    amounts: dict[tuple[TransferKind, str], int],
    *,
    reference: str,
    actor: str,
    reason: str,
    parents: tuple[str, ...] = (),
) -> list[posting.Move]:
    return [
        posting.Move(
            key=key,
            parent_keys=parents,
            kind=kind,
            credits=credits,
            actor=actor,
            reason=reason,
            reference=reference,
        )
        for (kind, key), credits in amounts.items()
        if credits
    ]
