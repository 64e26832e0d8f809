"""Random streams of everything that moves credits, shuffled, repeated, cut off and resumed."""

import random
from collections.abc import Callable

import pytest
from django.db import transaction

from billing import ledger
from billing.chart import Purpose
from billing.ledger import checks
from billing.reversals import applying
from tests.billing.money import buy, capture, give, hold, house, new_org, release
from tests.billing.reference import Model
from tests.billing.stripe_facts import dispute, refund

pytestmark = pytest.mark.django_db

_REFUND = ("pending", "succeeded", "failed")
_DISPUTE = {
    "asked": {"withdrawn": False, "status": "warning_needs_response"},
    "taken": {"withdrawn": True},
    "won": {"withdrawn": True, "reinstated": True, "status": "won"},
    "lost": {"withdrawn": True, "status": "lost"},
}


class CutOff(Exception):
    """The process was killed before it could commit."""


class World:
    """One organization beside its model; every step is done to both."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.org = new_org()
        self.model = Model()
        self.receipts: list[str] = []
        self.charges: dict[str, str] = {}
        self.heard: list[tuple[str, str, str, int, str]] = []

    def step(self) -> None:
        steps = [self.give, self.buy, self.hold, self.hold, self.finish, self.reverse, self.again]
        self.chance.choice(steps)()
        assert tuple(ledger.balances(self.org)) == self.model.balances

    def give(self) -> None:
        credits = self.chance.randint(1, 30)
        give(self.org, credits)
        self.model.give(credits)

    def buy(self) -> None:
        credits = self.chance.randint(1, 300)
        charge = f"ch_{len(self.receipts)}_{self.org}"
        receipt = buy(self.org, credits, charge_id=charge)
        self.receipts.append(receipt.public_id)
        self.charges[receipt.public_id] = charge
        self.model.buy(receipt.public_id, credits)

    def hold(self) -> None:
        job_id, credits = f"job_{len(self.model.jobs)}_{self.org}", self.chance.randint(1, 60)
        accepted = self.do(lambda: hold(self.org, job_id, credits))
        assert accepted == self.model.hold(job_id, credits)

    def finish(self) -> None:
        job_id = self.chance.choice([*self.model.jobs, None])
        if job_id is None:
            return
        if self.chance.random() < 0.3:
            self.do(lambda: release(self.org, job_id))
            self.model.release(job_id)
        else:
            credits = self.chance.randint(1, 70)
            self.do(lambda: capture(self.org, job_id, credits))
            self.model.capture(job_id, credits)

    def reverse(self) -> None:
        """Hear something new of a refund or dispute: a phase that its kind has."""
        if not self.receipts:
            return
        receipt = self.chance.choice(self.receipts)
        kind = self.chance.choice(["refund", "dispute"])
        key = f"{kind}_{self.chance.randint(0, 3)}_{self.org}"
        known = self.model.reversals.get(key)
        if known is not None:
            receipt, cents = known.receipt, known.cents
        else:
            cents = self.chance.randint(1, 2 * self.model.granted[receipt])
        what = self.chance.choice(_REFUND if kind == "refund" else list(_DISPUTE))
        if known is not None and {known.state, what} in ({"lost", "won"}, {"undone", "lost"}):
            return  # a bank decides once
        self.hear((key, kind, receipt, cents, what))

    def again(self) -> None:
        """Hear something old once more."""
        if self.heard:
            self.hear(self.chance.choice(self.heard))

    def hear(self, news: tuple[str, str, str, int, str]) -> None:
        key, kind, receipt, cents, what = news
        state = self.model.reversals[key].state if key in self.model.reversals else "seen"
        if {state, what} in ({"lost", "won"}, {"undone", "lost"}):
            return  # a bank decides once
        self.heard.append(news)
        if kind == "refund":
            facts = refund(f"re_{key}", self.charges[receipt], cents, status=what)
            self.do(lambda: applying.apply_refund(facts))
        else:
            facts = dispute(f"du_{key}", self.charges[receipt], cents, **_DISPUTE[what])
            self.do(lambda: applying.apply_dispute(facts))
        self.model.hear(key, kind, receipt, cents, what)

    def do(self, action: Callable[[], object]) -> bool:
        """Do it, perhaps after being cut off, perhaps twice; tell whether it was accepted."""
        if self.chance.random() < 0.2:
            try:
                with transaction.atomic():
                    self._try(action)
                    raise CutOff
            except CutOff:
                pass
        accepted = self._try(action)
        if self.chance.random() < 0.2:
            assert self._try(action) == accepted
        return accepted

    def _try(self, action: Callable[[], object]) -> bool:
        try:
            with transaction.atomic():
                action()
        except (ledger.InsufficientCredits, ledger.HoldClosed):
            return False
        return True


def run(seed: int, steps: int) -> None:
    world = World(seed)
    for _ in range(steps):
        world.step()
    assert list(checks.ledger_problems()) == []
    assert house(Purpose.SUSPENSE) == world.model.suspense
    assert house(Purpose.LOSSES) == world.model.lost
    assert house(Purpose.REVENUE) == world.model.captured


@pytest.mark.parametrize("seed", range(8))
def test_end_as_the_reference_model_says(seed):
    run(seed, steps=50)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [random.SystemRandom().getrandbits(32) for _ in range(50)])
def test_end_as_the_reference_model_says_for_long(seed):
    run(seed, steps=400)
