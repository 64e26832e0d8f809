"""The reference model of the money page: what an organization has after any stream of events.

As short and literal as it can be: plain numbers, no wallets, lots or keys. It knows nothing of
the code under test.
"""

from dataclasses import dataclass, field


@dataclass
class Job:
    preview: int
    paid: int
    state: str = "open"


@dataclass
class Reversal:
    """A refund or dispute as Stripe would describe it now, and what it takes."""

    kind: str  # refund, dispute
    created: int
    cents: int
    news: str = ""  # pending, succeeded, failed; asked, taken, partly, won, lost, prevented
    seen: int = 0  # how many took something before it
    taken: int = 0
    owed: int = 0
    written_off: int = 0

    @property
    def standing(self) -> int:
        """The cents that are gone by it, whether or not that much was paid."""
        back = self.cents // 3 if self.news == "partly" else 0
        is_gone = self.news in {"succeeded", "taken", "partly", "lost"}
        return (self.cents - back) * is_gone

    @property
    def is_lost(self) -> bool:
        return self.news in {"partly", "lost"} and self.total > 0

    @property
    def total(self) -> int:
        return self.taken + self.owed + self.written_off

    @property
    def other_side(self) -> int:
        return self.taken - self.owed - self.written_off


@dataclass
class Receipt:
    credits: int
    cents: int
    reversals: dict[str, Reversal] = field(default_factory=dict)

    def ordered(self) -> list[Reversal]:
        return sorted(self.reversals.values(), key=lambda one: (one.kind == "dispute", one.created))

    def shares(self) -> list[int]:
        """Refunds first, then disputes; the last cent takes the last credit."""
        taken, cents, shares = 0, 0, []
        for one in self.ordered():
            cents = min(self.cents, cents + one.standing)
            total = self.credits * cents // self.cents if self.cents else 0
            shares.append(total - taken)
            taken = total
        return shares


@dataclass
class Refunding:
    """A refund that we asked for: its credits are set aside until Stripe has answered."""

    receipt: str
    cents: int
    reserved: int = 0


@dataclass
class Model:
    preview: int = 0
    paid: int = 0
    receipts: dict[str, Receipt] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    refunding: dict[str, Refunding] = field(default_factory=dict)
    captured: int = 0
    number: int = 0

    @property
    def reversals(self) -> list[Reversal]:
        return [one for receipt in self.receipts.values() for one in receipt.reversals.values()]

    @property
    def owed(self) -> int:
        return sum(one.owed for one in self.reversals)

    @property
    def balances(self) -> tuple[int, int, int, int]:
        held = sum(job.preview + job.paid for job in self.jobs.values() if job.state == "open")
        reserved = sum(one.reserved for one in self.refunding.values())
        return (self.preview, self.paid, held + reserved, self.owed)

    @property
    def suspense(self) -> int:
        disputes = [one for one in self.reversals if one.kind == "dispute" and not one.is_lost]
        return sum(one.other_side for one in disputes)

    @property
    def losses(self) -> int:
        lost = sum(one.other_side for one in self.reversals if one.is_lost)
        return lost + sum(one.written_off for one in self.reversals)

    def give(self, credits: int) -> None:
        self.preview += credits

    def buy(self, receipt: str, credits: int, cents: int) -> None:
        if receipt not in self.receipts:
            self.receipts[receipt] = Receipt(credits, cents)
            self._receive(credits)

    def hold(self, job_id: str, credits: int) -> bool:
        if job_id in self.jobs:
            return True
        if self.owed or self.preview + self.paid < credits:
            return False
        preview = min(self.preview, credits)
        self.jobs[job_id] = Job(preview, credits - preview)
        self.preview -= preview
        self.paid -= credits - preview
        return True

    def capture(self, job_id: str, credits: int) -> None:
        job = self.jobs[job_id]
        if job.state == "open":
            charged = min(credits, job.preview + job.paid)
            of_preview = min(job.preview, charged)
            self._close(job, "captured", job.preview - of_preview, job.paid - charged + of_preview)
            self.captured += charged

    def release(self, job_id: str) -> None:
        job = self.jobs[job_id]
        if job.state == "open":
            self._close(job, "released", job.preview, job.paid)

    def write_off(self, credits: int) -> None:
        """Staff forgive a debt: of the oldest, the last that owes."""
        for one in self._indebted(is_last_first=True):
            part = min(one.owed, credits)
            one.owed, one.written_off = one.owed - part, one.written_off + part
            credits -= part

    def send(self, key: str, receipt: str, cents: int) -> None:
        """A refund is sent: what it will take is set aside, as far as it is there."""
        bought = self.receipts[receipt]
        gone = min(bought.cents, sum(one.standing for one in bought.reversals.values()))
        after = min(bought.cents, gone + cents)
        wanted = bought.credits * after // bought.cents - bought.credits * gone // bought.cents
        reserved = min(wanted, self.paid)
        self.paid -= reserved
        self.refunding[key] = Refunding(receipt, cents, reserved)

    def refused(self, key: str) -> None:
        """Stripe says no."""
        self._receive(self.refunding.pop(key).reserved)

    def note(self, receipt: str, key: str, reversal: Reversal) -> None:
        """Read of a refund or dispute what stands now."""
        known = self.receipts[receipt].reversals.setdefault(key, reversal)
        known.cents, known.news = reversal.cents, reversal.news
        if key in self.refunding and reversal.news != "pending":
            self.paid += self.refunding.pop(key).reserved

    def deal(self, receipt: str) -> None:
        """Do what follows from all that was read of a receipt."""
        self._deal(self.receipts[receipt])
        self._receive(0)

    def _deal(self, receipt: Receipt) -> None:
        """Deal out what was taken and what is there, then debts, last what was written off."""
        ones, shares = receipt.ordered(), receipt.shares()
        total = sum(shares)
        was_taken = sum(one.taken for one in ones)
        taken = min(was_taken, total)
        written_off = min(sum(one.written_off for one in ones), total - taken)
        self.paid += was_taken - taken
        more = min(self.paid, total - taken - written_off)
        self.paid -= more
        taken += more
        owed = total - taken - written_off
        for one, share in zip(ones, shares, strict=True):
            if share and not one.seen:
                self.number += 1
                one.seen = self.number
            one.taken = min(share, taken)
            one.owed = min(share - one.taken, owed)
            one.written_off = share - one.taken - one.owed
            taken, owed = taken - one.taken, owed - one.owed

    def _close(self, job: Job, state: str, preview: int, paid: int) -> None:
        job.state = state
        self.preview += preview
        self._receive(paid)

    def _receive(self, credits: int) -> None:
        """Paid credits arrive: debts first."""
        self.paid += credits
        for one in self._indebted():
            part = min(one.owed, self.paid)
            self.paid -= part
            one.owed, one.taken = one.owed - part, one.taken + part

    def _indebted(self, *, is_last_first: bool = False) -> list[Reversal]:
        """Return who owes: the receipt with the oldest debt first, its reversals in order."""
        by_receipt = [
            [one for one in receipt.ordered() if one.owed] for receipt in self.receipts.values()
        ]
        by_receipt = [ones for ones in by_receipt if ones]
        by_receipt.sort(key=lambda ones: min(one.seen for one in ones))
        return [one for ones in by_receipt for one in (ones[::-1] if is_last_first else ones)]
