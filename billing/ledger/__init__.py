"""Credits of an organization: granted, held for a job, captured or released. Never below zero.

The functions join the caller's transaction: a hold is written with the job it pays for. Repeated
with the same cause and terms, they move nothing and return what they returned the first time.
"""

from typing import NamedTuple

from billing.chart import ORGANIZATION_PURPOSES, Purpose, TransferKind
from billing.ledger import debts, job_transfers, lots, posting
from billing.ledger.posting import Overdrawn, TransferConflict, WalletsMissing
from billing.models import JobHold, Transfer, Wallet
from imageskill.lib import clock
from imageskill.lib.errors import ApiError

__all__ = ["Overdrawn", "TransferConflict", "WalletsMissing"]


class InsufficientCredits(ApiError):
    """The organization can't pay for this, or owes credits. Nothing was written.

    Carries the balances in credits; whoever renders it adds how to buy more.
    """

    code = "QUOTA_EXCEEDED"
    status = 402
    exit_code = 5
    message = "There are not enough credits for this operation."

    def __init__(self, message: str, *, preview: int, paid: int, owed: int) -> None:
        self.preview, self.paid, self.owed = preview, paid, owed
        super().__init__(message)


class HoldClosed(Exception):
    """The job's hold was captured or released by somebody else."""


class HoldNotFound(Exception):
    """The job has no hold."""


class Balances(NamedTuple):
    """An organization's balances in credits; none is ever negative."""

    preview: int
    paid: int
    held: int
    owed: int


class Hold(NamedTuple):
    """Credits held for a job, by wallet."""

    preview: int
    paid: int

    @property
    def credits(self) -> int:
        """All held credits."""
        return self.preview + self.paid


class Capture(NamedTuple):
    """Credits charged for a job, by wallet, and those that were returned."""

    preview: int
    paid: int
    returned: int


class Grant(NamedTuple):
    """Credits of a purchase, how many of them settled a debt at once, and what is paid now."""

    credits: int
    settled: int
    paid_after: int


def open_wallets(*, organization_id: int) -> None:
    """Create an organization's four empty wallets, in the transaction that creates it."""
    Wallet.objects.bulk_create(
        Wallet(organization_id=organization_id, purpose=purpose)
        for purpose in ORGANIZATION_PURPOSES
    )


def balances(organization_id: int) -> Balances:
    """Return the cached balances, in one statement whatever the history."""
    rows = Wallet.objects.filter(organization_id=organization_id)
    by_purpose = dict(rows.values_list("purpose", "balance"))
    return Balances(*(by_purpose.get(purpose, 0) for purpose in ORGANIZATION_PURPOSES))


def grant_preview(
    *, organization_id: int, credits: int, key: str, actor: str, reason: str, reference: str
) -> Transfer:
    """Grant preview credits, once for each key."""
    move = posting.Move(
        key=key,
        kind=TransferKind.PREVIEW_GRANT,
        credits=credits,
        actor=actor,
        reason=reason,
        reference=reference,
    )
    return posting.post(posting.lock(organization_id), [move])[0]


def grant_paid(*, organization_id: int, receipt_id: str, credits: int, actor: str) -> Grant:
    """Grant the credits of a receipt, once; debts are settled from them first."""
    key = f"receipt:{receipt_id}:grant"
    wallets = posting.lock(organization_id)
    is_replay = Transfer.objects.filter(key=key).exists()
    move = posting.Move(
        key=key,
        kind=TransferKind.PAID_GRANT,
        credits=credits,
        actor=actor,
        reason="credits bought",
        reference=receipt_id,
    )
    [grant] = posting.post(wallets, [move], is_new=not is_replay)
    if is_replay:
        return Grant(credits, debts.settled_credits(grant), wallets[Purpose.PAID])
    lots.create(organization_id=organization_id, reference=receipt_id, credits=credits)
    cause = f"receipt:{receipt_id}"
    settled = debts.settle(wallets, cause=cause, actor=actor, parents=(key,))
    return Grant(credits, settled, wallets[Purpose.PAID])


def hold(*, organization_id: int, job_id: str, credits: int, actor: str) -> Hold:
    """Hold credits for a job: preview credits first, then the oldest purchase's.

    Raises InsufficientCredits where there are too few, or where any are owed.
    """
    wallets = posting.lock(organization_id)
    stored = JobHold.objects.filter(job_id=job_id).first()
    if stored:
        if (stored.organization_id, stored.credits) != (organization_id, credits):
            raise TransferConflict(f"{job_id} holds {stored.credits} credits already")
        return Hold(stored.preview, stored.paid)
    _check_funds(wallets, credits)
    preview = min(wallets[Purpose.PREVIEW], credits)
    parts = Hold(preview, credits - preview)
    amounts = {TransferKind.HOLD_PREVIEW: parts.preview, TransferKind.HOLD_PAID: parts.paid}
    moves = job_transfers.build(job_id, amounts, actor=actor, reason="reserved for a job")
    posting.post(wallets, moves, is_new=True)
    if parts.paid:
        lots.consume(organization_id=organization_id, reference=job_id, credits=parts.paid)
    JobHold.objects.create(
        job_id=job_id, organization_id=organization_id, preview=parts.preview, paid=parts.paid
    )
    return parts


def check_funds(*, organization_id: int, credits: int) -> None:
    """Raise InsufficientCredits where a hold would; moves nothing, and promises nothing."""
    now = balances(organization_id)
    _check_balances(credits, preview=now.preview, paid=now.paid, owed=now.owed)


def capture(*, organization_id: int, job_id: str, credits: int, actor: str = "system") -> Capture:
    """Charge a job, preview credits first; the rest of its hold is returned to its wallets.

    Never charges above the hold: the house bears an excess. Repeated with the same credits, it
    returns the first capture. Raises HoldClosed where the hold was released or captured otherwise.
    """
    if credits < 1:
        raise ValueError("a capture is of at least one credit")
    wallets = posting.lock(organization_id)
    held = _get_hold(organization_id, job_id)
    charged = min(credits, held.credits)
    if held.state == JobHold.State.CAPTURED and held.captured == charged:
        return Capture(held.captured_preview, held.captured_paid, held.credits - held.captured)
    _check_open(held)
    held.captured_preview = min(held.preview, charged)
    held.captured_paid = charged - held.captured_preview
    _close(wallets, held, state=JobHold.State.CAPTURED, actor=actor, reason="job completed")
    return Capture(held.captured_preview, held.captured_paid, held.credits - charged)


def release(*, organization_id: int, job_id: str, reason: str, actor: str = "system") -> Hold:
    """Return a job's whole hold to its wallets; debts are settled from it.

    Repeated, it returns the first release. Raises HoldClosed where the job was charged.
    """
    wallets = posting.lock(organization_id)
    held = _get_hold(organization_id, job_id)
    if held.state != JobHold.State.RELEASED:
        _check_open(held)
        _close(wallets, held, state=JobHold.State.RELEASED, actor=actor, reason=reason)
    return Hold(held.preview, held.paid)


def _check_funds(wallets: posting.Wallets, credits: int) -> None:
    if credits < 1:
        raise ValueError("a hold is of at least one credit")
    preview, paid, owed = (wallets[p] for p in (Purpose.PREVIEW, Purpose.PAID, Purpose.OWED))
    _check_balances(credits, preview=preview, paid=paid, owed=owed)


def _check_balances(credits: int, *, preview: int, paid: int, owed: int) -> None:
    if not owed and credits <= preview + paid:
        return
    if owed:
        why = f"{owed:,} credits are owed after a reversal; the next purchase settles them first."
    else:
        why = f"This needs {credits:,} credits; {preview + paid:,} are available."
    raise InsufficientCredits(why, preview=preview, paid=paid, owed=owed)


def _get_hold(organization_id: int, job_id: str) -> JobHold:
    held = JobHold.objects.filter(job_id=job_id, organization_id=organization_id).first()
    if held is None:
        raise HoldNotFound(job_id)
    return held


def _check_open(held: JobHold) -> None:
    if held.state != JobHold.State.OPEN:
        raise HoldClosed(f"{held.job_id} is {held.state}")


def _close(
    wallets: posting.Wallets, held: JobHold, *, state: JobHold.State, actor: str, reason: str
) -> None:
    back = Hold(held.preview - held.captured_preview, held.paid - held.captured_paid)
    amounts = {
        TransferKind.CAPTURE: held.captured,
        TransferKind.RETURN_PREVIEW: back.preview,
        TransferKind.RETURN_PAID: back.paid,
    }
    moves = job_transfers.build(held.job_id, amounts, actor=actor, reason=reason)
    posting.post(wallets, moves)
    held.state, held.closed_at = state, clock.now()
    held.save(update_fields=["state", "closed_at", "captured_preview", "captured_paid"])
    if back.paid:
        lots.restore(reference=held.job_id, credits=back.paid)
        debts.settle(wallets, cause=f"job:{held.job_id}", actor=actor)
