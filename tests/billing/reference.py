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
    kind: str  # refund, dispute
    receipt: str
    cents: int
    state: str = "seen"  # seen, applied, undone, lost, closed, rejected
    taken: int = 0
    owed: int = 0


@dataclass
class Model:
    preview: int = 0
    paid: int = 0
    owed: int = 0
    granted: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    reversals: dict[str, Reversal] = field(default_factory=dict)
    lost: int = 0
    captured: int = 0

    @property
    def balances(self) -> tuple[int, int, int, int]:
        held = sum(job.preview + job.paid for job in self.jobs.values() if job.state == "open")
        return (self.preview, self.paid, held, self.owed)

    @property
    def suspense(self) -> int:
        disputes = [one for one in self.reversals.values() if one.kind == "dispute"]
        return sum(one.taken - one.owed for one in disputes if one.state == "applied")

    def give(self, credits: int) -> None:
        self.preview += credits

    def buy(self, receipt: str, credits: int) -> None:
        if receipt not in self.granted:
            self.granted[receipt] = credits
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

    def hear(self, key: str, kind: str, receipt: str, cents: int, what: str) -> None:
        """Hear of a refund (pending, succeeded, failed) or dispute (asked, taken, won, lost)."""
        one = self.reversals.setdefault(key, Reversal(kind, receipt, cents))
        if what in {"succeeded", "taken", "won", "lost"} and one.state == "seen":
            self._take(one)
        if what in {"failed", "won"} and one.state == "applied":
            self.owed -= one.owed
            returned, one.taken, one.owed, one.state = one.taken, 0, 0, "undone"
            self._receive(returned)
        elif what == "failed" and one.state == "seen":
            one.state = "closed"
        elif what == "lost" and one.state == "applied":
            self.lost += one.taken - one.owed
            one.state = "lost"

    def _take(self, one: Reversal) -> None:
        in_force = [
            other.taken + other.owed
            for other in self.reversals.values()
            if other.receipt == one.receipt
        ]
        credits = min(one.cents, self.granted[one.receipt] - sum(in_force))
        one.state = "applied" if credits else "rejected"
        one.taken = min(self.paid, credits)
        one.owed = credits - one.taken
        self.paid -= one.taken
        self.owed += one.owed

    def _close(self, job: Job, state: str, preview: int, paid: int) -> None:
        job.state = state
        self.preview += preview
        self._receive(paid)

    def _receive(self, credits: int) -> None:
        """Paid credits arrive: debts first, the oldest taking first."""
        self.paid += credits
        for one in self.reversals.values():
            part = min(one.owed, self.paid)
            self.paid -= part
            self.owed -= part
            one.owed -= part
            one.taken += part
            if one.state == "lost":
                self.lost += 2 * part
