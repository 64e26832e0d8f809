"""Writes the ledger of a made-up history: the rules of `billing.ledger`, without a round trip each.

Everything is worked out in memory, in order, and written at once; `check_books` judges the result.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from billing.chart import HOUSE_IDS, ORGANIZATION_PURPOSES, ROUTES, Purpose, TransferKind
from billing.models import Clawback, JobHold, LedgerEntry, Lot, LotPart, Transfer, Wallet

_BATCH = 2000


@dataclass
class Purse:
    """An organization's wallets and lots."""

    wallets: dict[Purpose, Wallet]
    lots: list[Lot] = field(default_factory=list)

    def __getitem__(self, purpose: Purpose) -> int:
        """Read a balance."""
        return self.wallets[purpose].balance

    @property
    def spendable(self) -> int:
        """What a job can hold; nothing while anything is owed."""
        return 0 if self[Purpose.OWED] else self[Purpose.PREVIEW] + self[Purpose.PAID]


class Pen:
    """Moves credits of made-up organizations. The house's wallets are locked until the commit."""

    def __init__(self, organization_ids: Iterable[int]) -> None:
        locked = Wallet.objects.filter(pk__in=HOUSE_IDS.values()).order_by("pk")
        self._house = {Purpose(row.purpose): row for row in locked.select_for_update()}
        fresh = [
            Wallet(organization_id=pk, purpose=purpose)
            for pk in organization_ids
            for purpose in ORGANIZATION_PURPOSES
        ]
        Wallet.objects.bulk_create(fresh, batch_size=_BATCH)
        self.purses: dict[int, Purse] = {}
        for wallet in fresh:
            purse = self.purses.setdefault(wallet.organization_id or 0, Purse({}))
            purse.wallets[Purpose(wallet.purpose)] = wallet
        self._transfers: list[Transfer] = []
        self._entries: list[LedgerEntry] = []
        self._lots: list[Lot] = []
        self._parts: dict[str, list[LotPart]] = {}
        self._holds: dict[str, JobHold] = {}
        self._takings: dict[str, Clawback] = {}

    def grant_preview(self, org: int, credits: int, *, agent_id: str, at: datetime) -> None:
        """Return starter credits."""
        key = f"signup:{agent_id}"
        self._move(
            org, TransferKind.PREVIEW_GRANT, credits, key, agent_id, at=at, why="starter credits"
        )

    def grant_paid(self, org: int, credits: int, *, receipt_id: str, at: datetime) -> int:
        """Return what a receipt paid for; return what is there then. Nothing may be owed."""
        key = f"receipt:{receipt_id}:grant"
        self._move(
            org, TransferKind.PAID_GRANT, credits, key, receipt_id, at=at, why="credits bought"
        )
        lot = Lot(
            organization_id=org, reference=receipt_id, granted=credits, left=credits, created_at=at
        )
        self._lots.append(lot)
        self.purses[org].lots.append(lot)
        return self.purses[org][Purpose.PAID]

    def hold(self, org: int, credits: int, *, job_id: str, actor: str, at: datetime) -> None:
        """Reserve credits for a job: free ones first, then the oldest purchase's."""
        preview = min(self.purses[org][Purpose.PREVIEW], credits)
        paid = credits - preview
        why = "reserved for a job"
        self._job(org, TransferKind.HOLD_PREVIEW, preview, job_id, at, why=why, actor=actor)
        self._job(org, TransferKind.HOLD_PAID, paid, job_id, at, why=why, actor=actor)
        self._take(org, paid, reference=job_id)
        self._holds[job_id] = JobHold(
            job_id=job_id, organization_id=org, preview=preview, paid=paid, created_at=at
        )

    def capture(self, job_id: str, *, at: datetime) -> JobHold:
        """Charge the whole hold."""
        held = self._holds[job_id]
        org = held.organization_id
        self._job(org, TransferKind.CAPTURE, held.credits, job_id, at, why="job completed")
        held.captured_preview, held.captured_paid = held.preview, held.paid
        held.state, held.closed_at = JobHold.State.CAPTURED, at
        return held

    def release(self, job_id: str, *, at: datetime, why: str) -> None:
        """Give the whole hold back."""
        held = self._holds[job_id]
        org = held.organization_id
        self._job(org, TransferKind.RETURN_PREVIEW, held.preview, job_id, at, why=why)
        self._job(org, TransferKind.RETURN_PAID, held.paid, job_id, at, why=why)
        self._give_back(job_id)
        held.state, held.closed_at = JobHold.State.RELEASED, at

    def take(
        self, org: int, credits: int, *, reversal_id: str, receipt_id: str, key: str, at: datetime
    ) -> Clawback:
        """Take a reversal's credits; what was spent already is owed."""
        cause = Clawback.Cause(key.split(":", 1)[0])
        kinds = {
            Clawback.Cause.REFUND: (TransferKind.REFUND, TransferKind.REFUND_OWED),
            Clawback.Cause.DISPUTE: (TransferKind.DISPUTE, TransferKind.DISPUTE_OWED),
        }[cause]
        there = min(self.purses[org][Purpose.PAID], credits)
        why = f"{cause} of {receipt_id}"
        self._move(org, kinds[0], there, key, reversal_id, at=at, why=why, actor="stripe")
        rest = credits - there
        self._move(org, kinds[1], rest, f"{key}:owed", reversal_id, at=at, why=why, actor="stripe")
        self._take(org, there, reference=reversal_id, first=receipt_id)
        taking = Clawback(
            reference=reversal_id,
            cause_key=key,
            organization_id=org,
            receipt_id=receipt_id,
            cause=cause,
            taken=there,
            owed=rest,
            created_at=at,
        )
        self._takings[reversal_id] = taking
        return taking

    def win(self, reversal_id: str, *, at: datetime) -> None:
        """Give back what a dispute took."""
        taking = self._takings[reversal_id]
        org, key = taking.organization_id, f"{taking.cause_key}:undone"
        for kind, credits, tail in (
            (TransferKind.DISPUTE_WON, taking.taken, ""),
            (TransferKind.DISPUTE_OWED_WON, taking.owed, ":owed"),
        ):
            self._move(org, kind, credits, key + tail, reversal_id, at=at, why="dispute won")
        self._give_back(reversal_id)
        taking.state, taking.taken, taking.owed = Clawback.State.UNDONE, 0, 0

    def lose(self, reversal_id: str, *, at: datetime) -> None:
        """Move a lost dispute out of suspense."""
        taking = self._takings[reversal_id]
        org, key = taking.organization_id, f"{taking.cause_key}:lost"
        for kind, credits, tail in (
            (TransferKind.DISPUTE_LOST, taking.taken, ""),
            (TransferKind.DISPUTE_LOST_OWED, taking.owed, ":owed"),
        ):
            self._move(org, kind, credits, key + tail, reversal_id, at=at, why="dispute lost")
        taking.state = Clawback.State.LOST

    def left_of(self, org: int, receipt_id: str) -> int:
        """Return how many of a purchase's own credits are left."""
        return sum(lot.left for lot in self.purses[org].lots if lot.reference == receipt_id)

    def write(self) -> None:
        """Write it all, in the caller's transaction."""
        Transfer.objects.bulk_create(self._transfers, batch_size=_BATCH)
        LedgerEntry.objects.bulk_create(self._entries, batch_size=_BATCH)
        Lot.objects.bulk_create(self._lots, batch_size=_BATCH)
        parts = [part for parts in self._parts.values() for part in parts]
        LotPart.objects.bulk_create(parts, batch_size=_BATCH)
        JobHold.objects.bulk_create(self._holds.values(), batch_size=_BATCH)
        Clawback.objects.bulk_create(self._takings.values(), batch_size=_BATCH)
        wallets = [wallet for purse in self.purses.values() for wallet in purse.wallets.values()]
        Wallet.objects.bulk_update(wallets + list(self._house.values()), ["balance"], _BATCH)

    def _job(
        self,
        org: int,
        kind: TransferKind,
        credits: int,
        job_id: str,
        at: datetime,
        *,
        why: str,
        actor: str = "system",
    ) -> None:
        side = kind.value.replace("_", ":")
        self._move(org, kind, credits, f"job:{job_id}:{side}", job_id, at=at, why=why, actor=actor)

    def _move(
        self,
        org: int,
        kind: TransferKind,
        credits: int,
        key: str,
        reference: str,
        *,
        at: datetime,
        why: str,
        actor: str = "system",
    ) -> None:
        if not credits:
            return
        both = self.purses[org].wallets | self._house
        source, target = both[ROUTES[kind].source], both[ROUTES[kind].target]
        transfer = Transfer(
            key=key,
            kind=kind,
            organization_id=org,
            source=source,
            target=target,
            credits=credits,
            actor=actor,
            reason=why,
            reference=reference,
            created_at=at,
        )
        self._transfers.append(transfer)
        for wallet, change in ((source, -credits), (target, credits)):
            wallet.balance += change
            self._entries.append(
                LedgerEntry(
                    transfer=transfer, wallet=wallet, credits=change, balance_after=wallet.balance
                )
            )

    def _take(self, org: int, credits: int, *, reference: str, first: str = "") -> None:
        missing = credits
        for lot in sorted(self.purses[org].lots, key=lambda lot: lot.reference != first):
            taken = min(lot.left, missing)
            if taken:
                lot.left -= taken
                missing -= taken
                part = LotPart(lot=lot, reference=reference, taken=taken)
                self._parts.setdefault(reference, []).append(part)

    def _give_back(self, reference: str) -> None:
        for part in self._parts.get(reference, ()):
            part.returned = part.taken
            part.lot.left += part.taken
