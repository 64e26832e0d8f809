"""Random streams of everything that moves credits, shuffled, repeated, cut off and resumed."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Agent, User
from billing import ledger
from billing.chart import Purpose
from billing.ledger import checks, clawbacks
from billing.models import Receipt, RefundRequest, UnmatchedPayment
from billing.purchases import buyers, fake_rail, fulfillment, quotes
from billing.reversals import applying, refund_sending
from billing.reversals.facts import PaymentFacts
from billing.stripe import gateway
from billing.stripe.objects import CheckoutSession, Dispute, PaidWith, Refund
from imageskill.lib import clock, ids
from tests.billing import reference, stripe_facts
from tests.billing.money import capture, give, hold, house, release

pytestmark = pytest.mark.django_db

_REFUND = ("pending", "succeeded", "failed")
_DISPUTE = ("asked", "taken", "partly", "won", "lost", "prevented")
STREAM_STEPS = 30


class CutOff(Exception):
    """The process was killed before it could commit."""


class Bank:
    """Stripe's side: refunds and disputes of each charge as they stand, and refusals."""

    def __init__(self) -> None:
        self.by_charge: dict[str, dict[str, Refund | Dispute]] = {}
        self.answer = "succeeded"
        self.begun = ""

    def list_refunds(self, charge_id: str, **_: object) -> list[Refund]:
        return [one for one in self._of(charge_id) if isinstance(one, Refund)]

    def list_disputes(self, charge_id: str, **_: object) -> list[Dispute]:
        return [one for one in self._of(charge_id) if isinstance(one, Dispute)]

    def create_refund(self, *, charge_id: str, amount_cents: int, references: Any, **_: object):
        if self.answer == "refused":
            raise gateway.PaymentProviderFailure(http_status=400, stripe_code="charge_disputed")
        refund = stripe_facts.refund(self.begun, charge_id, amount_cents, status=self.answer)
        self.put(charge_id, _replace(refund, metadata=dict(references)))

    def put(self, charge_id: str, one: Refund | Dispute) -> None:
        self.by_charge.setdefault(charge_id, {})[one.id] = one

    def _of(self, charge_id: str) -> list[Refund | Dispute]:
        return list(self.by_charge.get(charge_id, {}).values())


def _replace(refund: Refund, **changes: Any) -> Refund:
    return Refund(**{**vars(refund), **changes})


@pytest.fixture
def bank(monkeypatch, settings) -> Bank:
    """Stripe without a server, so that a stream takes a second."""
    settings.STRIPE_SECRET_KEY = "sk_test_streams"
    settings.FAKE_CREDITS_PER_ORGANIZATION = 10**6
    bank = Bank()
    for name in ("list_refunds", "list_disputes", "create_refund"):
        monkeypatch.setattr(gateway, name, getattr(bank, name))
    return bank


class World:
    """One organization beside its model; every step is done to both."""

    def __init__(self, seed: int, bank: Bank, agent: Agent) -> None:
        self.chance = random.Random(seed)
        self.bank = bank
        self.agent, self.org = agent, agent.organization_id
        self.buyer = buyers.agent_buyer(self.agent)
        self.staff = User.objects.create(email=f"staff{seed}@example.com")
        self.model = reference.Model(preview=ledger.balances(self.org).preview)
        self.charges: dict[str, str] = {}  # by receipt; those of the fake rail have none
        self.readings: list[PaymentFacts] = []
        self.number = 0

    def step(self) -> None:
        steps = [
            *[self.hold, self.finish, self.bank_acts, self.bank_acts] * 2,
            *[self.give, self.buy_fake, self.buy_by_checkout, self.refund, self.write_off],
            self.read_late,
        ]
        self.chance.choice(steps)()
        assert tuple(ledger.balances(self.org)) == self.model.balances

    def give(self) -> None:
        credits = self.chance.randint(1, 30)
        give(self.org, credits)
        self.model.give(credits)

    def quote(self, method: str) -> Any:
        return quotes.create(
            buyer=self.buyer,
            payment_method=method,
            credits=self.chance.randint(50, 300),
            idempotency_key=self.name("quote"),
        )

    def buy_fake(self) -> None:
        quote, key = self.quote("fake"), self.name("key")
        self.do(
            lambda: fake_rail.purchase(
                buyer=self.buyer, quote_id=quote.public_id, idempotency_key=key
            )
        )
        receipt = Receipt.objects.get(quote=quote)
        self.model.buy(receipt.public_id, quote.credits, quote.credits)

    def buy_by_checkout(self) -> None:
        """Pay a quote: at once or late, now and then by a promotion, now and then twice."""
        quote = self.quote("stripe_checkout")
        discount = self.chance.choice([0, 0, quote.price_cents // 5])
        first, second = self.session(quote, discount), self.session(quote, discount)
        if self.chance.random() < 0.4:
            unpaid = {"payment_status": "unpaid", "payment_intent_status": "processing"}
            self.do(lambda: fulfillment.apply(_session(first, **unpaid)))
        if self.chance.random() < 0.2:
            return  # the money never arrives
        self.do(lambda: fulfillment.apply(first))
        if self.chance.random() < 0.3:
            self.do(lambda: fulfillment.apply(second))
            assert UnmatchedPayment.objects.filter(quote=quote).count() == 1
        receipt = Receipt.objects.get(quote=quote)
        self.charges[receipt.public_id] = first.charge_id
        self.model.buy(receipt.public_id, quote.credits, quote.credits - discount)

    def session(self, quote: Any, discount: int) -> CheckoutSession:
        name = self.name("a")
        attempt = quote.attempts.create(
            agent=self.agent,
            idempotency_key=name,
            environment=gateway.environment(),
            status="expired",
            session_expires_at=clock.now() + timedelta(hours=1),
            next_check_at=clock.now(),
            checkout_session_id=f"cs_{name}",
        )
        return CheckoutSession(
            id=f"cs_{name}",
            url="",
            status="complete",
            payment_status="paid",
            amount_subtotal_cents=quote.price_cents,
            amount_total_cents=quote.price_cents - discount,
            tax_cents=0,
            tax_reason="",
            billed_to={},
            paid_with=PaidWith(),
            discount_cents=discount,
            currency="USD",
            reference=attempt.public_id,
            is_live_mode=False,
            expires_at=attempt.session_expires_at,
            payment_intent_id=f"pi_{name}",
            payment_intent_status="succeeded",
            charge_id=f"ch_{name}",
            metadata=gateway.build_metadata(),
        )

    def hold(self) -> None:
        job_id, credits = self.name("job"), self.chance.randint(1, 60)
        accepted = self.do(lambda: hold(self.org, job_id, credits))
        assert accepted == self.model.hold(job_id, credits)

    def finish(self) -> None:
        if not self.model.jobs:
            return
        job_id = self.chance.choice(list(self.model.jobs))
        if self.chance.random() < 0.3:
            self.do(lambda: release(self.org, job_id))
            self.model.release(job_id)
        else:
            credits = self.chance.randint(1, 70)
            self.do(lambda: capture(self.org, job_id, credits))
            self.model.capture(job_id, credits)

    def write_off(self) -> None:
        credits, key = self.chance.randint(1, 100), self.name("w")
        with transaction.atomic():
            clawbacks.write_off(
                organization_id=self.org, credits=credits, key=key, actor="tests", reason="tests"
            )
        self.model.write_off(credits)

    def refund(self) -> None:
        """Staff send a refund: Stripe confirms it, lets it wait, or refuses it."""
        if not self.charges:
            return
        receipt_id = self.chance.choice(list(self.charges))
        receipt = Receipt.objects.get(public_id=receipt_id)
        cents = self.chance.randint(1, receipt.amount_cents)
        request = RefundRequest.objects.create(
            receipt=receipt,
            amount_cents=cents,
            reason_code="service",
            reason="tests",
            requested_by=self.staff,
            needs_second_person=False,
            state="approved",
            decided_at=clock.now(),
            expires_at=clock.now(),
        )
        self.bank.begun = f"re_{self.name('sent')}"
        self.bank.answer = self.chance.choice(["succeeded", "pending", "pending", "refused"])
        self.model.send(self.bank.begun, receipt_id, cents)
        refund_sending.send(request_id=request.pk)
        if self.bank.answer == "refused":
            self.model.refused(self.bank.begun)
        else:
            self.model_hears(receipt_id)

    def bank_acts(self) -> None:
        """A refund or dispute begins or moves on at Stripe, and somebody reads the payment."""
        if not self.charges:
            return
        receipt_id = self.chance.choice(list(self.charges))
        charge_id = self.charges[receipt_id]
        known = list(self.bank.by_charge.get(charge_id, {}).values())
        if known and self.chance.random() < 0.6:
            one = self.chance.choice(known)
            name, cents = one.id, one.amount_cents
        else:
            cents = self.chance.randint(1, 2 * self.model.receipts[receipt_id].cents)
            name = self.chance.choice(["re", "du"]) + f"_{self.name('x')}"
            one = None
        self.bank.put(charge_id, self.news(name, charge_id, cents, one))
        if self.chance.random() < 0.8:  # else this news is heard later, or with the next
            self.hear(receipt_id)

    def news(self, name: str, charge_id: str, cents: int, one: Any) -> Refund | Dispute:
        if name.startswith("re"):
            told = stripe_facts.refund(name, charge_id, cents, status=self.chance.choice(_REFUND))
            return _replace(told, metadata=one.metadata if one else {})
        what = self.chance.choice(_DISPUTE)
        terms: dict[str, dict[str, Any]] = {
            "asked": {"withdrawn": False, "status": "warning_needs_response"},
            "taken": {},
            "partly": {"status": "won", "reinstated": cents // 3},
            "won": {"status": "won", "reinstated": True},
            "lost": {"status": "lost"},
            "prevented": {"withdrawn": False, "status": "prevented"},
        }
        if what == "partly" and not cents // 3:
            what = "lost"
        return stripe_facts.dispute(name, charge_id, cents, **terms[what])

    def hear(self, receipt_id: str) -> None:
        charge_id = self.charges[receipt_id]
        reading = PaymentFacts(
            charge_id=charge_id,
            payment_intent_id=charge_id.replace("ch_", "pi_"),
            refunds=self.bank.list_refunds(charge_id),
            disputes=self.bank.list_disputes(charge_id),
            read_at=clock.now(),
        )
        self.readings.append(reading)
        self.do(lambda: applying.apply(reading))
        self.model_hears(receipt_id)

    def read_late(self) -> None:
        """A worker that read long ago comes to its transaction only now."""
        if self.readings:
            reading = self.chance.choice(self.readings)
            self.do(lambda: applying.apply(reading))

    def model_hears(self, receipt_id: str) -> None:
        for one in self.bank.by_charge.get(self.charges[receipt_id], {}).values():
            created = int(stripe_facts.created_at(one.id).timestamp())
            self.model.note(receipt_id, one.id, _told(one, created))
        self.model.deal(receipt_id)

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

    def name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}{ids.random_text(10)}"

    def _try(self, action: Callable[[], object]) -> bool:
        try:
            with transaction.atomic():
                action()
        except (ledger.InsufficientCredits, ledger.HoldClosed):
            return False
        return True


def _session(session: CheckoutSession, **changes: Any) -> CheckoutSession:
    return CheckoutSession(**{**vars(session), **changes})


def _told(one: Refund | Dispute, created: int) -> reference.Reversal:
    """Write a refund or dispute as the model knows it."""
    if isinstance(one, Refund):
        return reference.Reversal("refund", created, one.amount_cents, one.status)
    back = sum(move.amount_cents for move in one.movements if move.amount_cents > 0)
    news = {"warning_needs_response": "asked", "needs_response": "taken"}.get(
        one.status, one.status
    )
    if news == "won" and back < one.amount_cents:
        news = "partly"
    return reference.Reversal("dispute", created, one.amount_cents, news)


class Undo(Exception):
    """A stream leaves nothing behind."""


def run(seed: int, bank: Bank, agent: Agent, *, steps: int = STREAM_STEPS) -> None:
    try:
        with transaction.atomic():
            before = {purpose: house(purpose) for purpose in Purpose if purpose in _HOUSE}
            world = World(seed, bank, agent)
            for _ in range(steps):
                world.step()
            assert list(checks.ledger_problems()) == []
            moved = {purpose: house(purpose) - before[purpose] for purpose in before}
            assert moved[Purpose.SUSPENSE] == world.model.suspense
            assert moved[Purpose.LOSSES] == world.model.losses
            assert moved[Purpose.REVENUE] == world.model.captured
            raise Undo
    except Undo:
        pass


_HOUSE = {Purpose.SUSPENSE, Purpose.LOSSES, Purpose.REVENUE}


@pytest.mark.parametrize("seed", range(12))
def test_end_as_the_reference_model_says(seed, bank, agent):
    run(seed, bank, agent.agent)


# 200 runs of 100 streams: 20,000.
@pytest.mark.soak
@pytest.mark.parametrize("seed", [random.SystemRandom().getrandbits(32) for _ in range(200)])
def test_end_as_the_reference_model_says_for_long(seed, bank, agent):
    for number in range(100):
        run(seed + number, bank, agent.agent)
