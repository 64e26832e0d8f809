"""Clawbacks: what refunds and disputes debit from an organization (ADR 9).

Each reversal of a receipt has a share of its credits. Shares are compared with what is posted, and
the difference is posted, so it does not matter which news came first. The transfers of each case:

    case               credits not spent      spent: a debt          debt written off before
    refund             paid -> payments       payments -> owed       owed -> losses
    refund failed      payments -> paid       owed -> payments       losses -> payments
    dispute            paid -> suspense       suspense -> owed       owed -> losses
    dispute won        suspense -> paid       owed -> suspense       losses -> suspense
    dispute lost       suspense -> losses     losses -> suspense     losses -> suspense

A debt that later credits settle (`billing.ledger.debts`) moves to the first column.

What the reversals of a receipt took is dealt out in their order; then comes what is owed, and last
what was written off. A share that shrinks therefore forgives debt first, then recovers what was
written off, and then returns credits to the lots they came from.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from billing.chart import Purpose, TransferKind
from billing.ledger import debts, lots, posting
from billing.models import Clawback

_Cause, _State = Clawback.Cause, Clawback.State


class _Kinds(NamedTuple):
    """The kinds of transfers of a cause."""

    taken: TransferKind
    owed: TransferKind
    returned: TransferKind
    forgiven: TransferKind
    recovered: TransferKind


_KINDS = {
    _Cause.REFUND: _Kinds(
        TransferKind.REFUND,
        TransferKind.REFUND_OWED,
        TransferKind.REFUND_UNDONE,
        TransferKind.REFUND_OWED_UNDONE,
        TransferKind.REFUND_LOSS_RECOVERED,
    ),
    _Cause.DISPUTE: _Kinds(
        TransferKind.DISPUTE,
        TransferKind.DISPUTE_OWED,
        TransferKind.DISPUTE_WON,
        TransferKind.DISPUTE_OWED_WON,
        TransferKind.DISPUTE_LOSS_RECOVERED,
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """How many credits one reversal of a receipt takes now; `cause_key` is `refund:<re_…>`."""

    reference: str
    cause: Clawback.Cause
    cause_key: str
    credits: int
    is_lost: bool = False


class Parts(NamedTuple):
    """A share by what became of it: credits that were there, debt, debt that was written off."""

    taken: int
    owed: int
    written_off: int

    @property
    def credits(self) -> int:
        """The whole share."""
        return self.taken + self.owed + self.written_off


NOTHING = Parts(0, 0, 0)


class ShareChange(NamedTuple):
    """What posting a share changed."""

    reference: str
    before: Parts
    after: Parts


def post_shares(
    wallets: posting.Wallets, *, receipt_id: str, shares: Sequence[Share], actor: str
) -> list[ShareChange]:
    """Post how the shares of a receipt, in their order, differ from what is posted.

    Joins the caller's transaction, under the organization's wallet lock. Called again with the
    same shares, it moves nothing. The caller settles debts from what came back.
    """
    rows = {row.reference: row for row in Clawback.objects.filter(receipt_id=receipt_id)}
    posted = {reference: _parts(row) for reference, row in rows.items()}
    dealt = _deal(shares, posted.values(), available=wallets[Purpose.PAID])
    steps = []
    for place, (share, after) in enumerate(zip(shares, dealt, strict=True)):
        row = rows.get(share.reference)
        if row is None and not share.credits:
            continue
        row = row or _new_row(wallets, receipt_id, share)
        row.place = place
        steps.append(_Step(row, share, posted.get(share.reference, NOTHING), after))
    _post_steps(wallets, steps, actor=actor)
    return [ShareChange(step.row.reference, step.before, step.after) for step in steps]


def write_off(*, organization_id: int, credits: int, key: str, actor: str, reason: str) -> int:
    """Write off what an organization owes, oldest debt first; return how much it was.

    Never more than is owed by now, whatever was requested. Of one receipt's reversals the last
    that owes comes first.
    """
    wallets = posting.lock(organization_id)
    left = min(credits, wallets[Purpose.OWED])
    total = left
    for clawback in debts.in_order(organization_id, is_last_first=True):
        part = min(clawback.owed, left)
        if not part:
            break
        move = posting.Move(
            key=f"write_off:{key}:{clawback.reference}",
            kind=TransferKind.WRITE_OFF,
            credits=part,
            actor=actor,
            reason=reason,
            reference=clawback.reference,
        )
        posting.post(wallets, [move])
        clawback.owed -= part
        clawback.written_off += part
        clawback.save(update_fields=["owed", "written_off"])
        left -= part
    return total


def credits_in_force(receipt_id: str) -> int:
    """Return how many of a receipt's credits its reversals have debited and not returned."""
    return sum(_parts(row).credits for row in Clawback.objects.filter(receipt_id=receipt_id))


def count_movements(receipt_id: str) -> int:
    """Return how many transfers the reversals of a receipt have posted."""
    return sum(Clawback.objects.filter(receipt_id=receipt_id).values_list("movements", flat=True))


@dataclass(slots=True)
class _Step:
    """One share, with the row that says what of it is posted."""

    row: Clawback
    share: Share
    before: Parts
    after: Parts

    @property
    def is_lost(self) -> bool:
        """Whether its funds are lost now."""
        return self.share.is_lost and self.after.credits > 0

    def shrinking(self) -> Iterator[tuple[TransferKind, int]]:
        """Yield what goes back."""
        kinds = _KINDS[self.share.cause]
        yield kinds.returned, self.before.taken - self.after.taken
        yield kinds.forgiven, self.before.owed - self.after.owed
        yield kinds.recovered, self.before.written_off - self.after.written_off

    def growing(self) -> Iterator[tuple[TransferKind, int]]:
        """Yield what is taken; a part written off is owed first, like any that was."""
        kinds = _KINDS[self.share.cause]
        written_off = max(0, self.after.written_off - self.before.written_off)
        yield kinds.taken, self.after.taken - self.before.taken
        yield kinds.owed, max(0, self.after.owed - self.before.owed) + written_off
        yield TransferKind.WRITE_OFF, written_off

    def losing(self) -> Iterator[tuple[TransferKind, int]]:
        """Yield what a lost dispute moves out of suspense, or one that is lost no more into it."""
        was_lost = self.row.state == _State.LOST
        lost = _other_side(self.after) * self.is_lost - _other_side(self.before) * was_lost
        is_undone = was_lost and not self.is_lost
        yield TransferKind.DISPUTE_LOST, lost
        yield (
            TransferKind.DISPUTE_LOSS_UNDONE if is_undone else TransferKind.DISPUTE_LOST_OWED,
            -lost,
        )

    def save(self) -> None:
        """Store what is posted now."""
        row = self.row
        row.taken, row.owed, row.written_off = self.after
        row.state = _State.LOST if self.is_lost else _State.OPEN
        if not self.after.credits:
            row.state = _State.UNDONE
        row.save()


def _deal(shares: Sequence[Share], posted: Iterable[Parts], *, available: int) -> list[Parts]:
    """Deal out what was taken and what is there now, in order; what is missing is owed."""
    taken, _, written_off = map(sum, zip(NOTHING, *posted, strict=True))
    total = sum(share.credits for share in shares)
    taken = min(taken, total)
    written_off = min(written_off, total - taken)
    taken += min(available, total - taken - written_off)
    owed = total - taken - written_off
    dealt = []
    for share in shares:
        part = min(share.credits, taken)
        part_owed = min(share.credits - part, owed)
        dealt.append(Parts(part, part_owed, share.credits - part - part_owed))
        taken, owed = taken - part, owed - part_owed
    return dealt


def _post_steps(wallets: posting.Wallets, steps: Sequence[_Step], *, actor: str) -> None:
    """Move credits: first what goes back, which others may take in the same breath."""
    moves = [
        _move(step, kind, credits, actor)
        for moving in (_Step.shrinking, _Step.growing, _Step.losing)
        for step in steps
        for kind, credits in moving(step)
        if credits > 0
    ]
    posting.post(wallets, moves)
    for step in steps:
        returned = step.before.taken - step.after.taken
        if returned > 0:
            lots.restore(reference=step.row.reference, credits=returned)
    for step in steps:
        taken = step.after.taken - step.before.taken
        if taken > 0:
            lots.consume(
                organization_id=wallets.organization_id,
                reference=step.row.reference,
                credits=taken,
                first=step.row.receipt_id,
            )
        step.save()


def _move(step: _Step, kind: TransferKind, credits: int, actor: str) -> posting.Move:
    step.row.movements += 1
    return posting.Move(
        key=f"{step.share.cause_key}:{step.row.movements}",
        # What came before: the first movement, or the one that an earlier release posted.
        parent_keys=(step.row.cause_key, f"{step.share.cause_key}:1"),
        kind=kind,
        credits=credits,
        actor=actor,
        reason=f"{step.share.cause} of {step.row.receipt_id}",
        reference=step.row.reference,
    )


def _new_row(wallets: posting.Wallets, receipt_id: str, share: Share) -> Clawback:
    return Clawback(
        reference=share.reference,
        cause_key=share.cause_key,
        organization_id=wallets.organization_id,
        receipt_id=receipt_id,
        cause=share.cause,
        taken=0,
        owed=0,
    )


def _parts(row: Clawback) -> Parts:
    return Parts(row.taken, row.owed, row.written_off)


def _other_side(parts: Parts) -> int:
    """Return what a share left in the house's wallet: credits less the other side of its debt."""
    return parts.taken - parts.owed - parts.written_off
