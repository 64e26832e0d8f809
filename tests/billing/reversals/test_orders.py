"""The same facts end in the same books, in whatever order news of them came (ADR 9).

A history is a list of changes at Stripe. Whoever hears of one reads what stands then, and may be
late: readings are applied in every order, twice, and with some of them missing. Only the last
reading is always there, since each change has an event of its own.
"""

import random
from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import ActivityEvent
from billing import ledger
from billing.chart import HOUSE_IDS, Purpose
from billing.ledger import checks, clawbacks
from billing.models import Clawback, PaymentReversal, Transfer, Wallet
from billing.reversals import applying
from billing.reversals.facts import PaymentFacts
from billing.stripe.objects import Dispute, Refund
from tests.billing.money import buy, hold, new_org, release, spend
from tests.billing.stripe_facts import dispute, read_at, refund

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_in_order")]

State = PaymentReversal.State
Change = Refund | Dispute

REFUND_200 = (refund("re_o200", "ch_a", 200),)
REFUND_FAILS = (refund("re_o500", "ch_a", 500), refund("re_o500", "ch_a", 500, status="failed"))
PENDING_FAILS = (
    refund("re_p300", "ch_a", 300, status="pending"),
    refund("re_p300", "ch_a", 300, status="failed"),
)
WON = (
    dispute("du_won", "ch_a", 500),
    dispute("du_won", "ch_a", 500, status="won"),
    dispute("du_won", "ch_a", 500, status="won", reinstated=True),
)
LOST = (dispute("du_lost", "ch_a", 500), dispute("du_lost", "ch_a", 500, status="lost"))
CHARGEBACK = (
    dispute("du_ask", "ch_a", 500, status="warning_needs_response", withdrawn=False),
    dispute("du_ask", "ch_a", 500, status="warning_closed", withdrawn=False),
    dispute("du_ask", "ch_a", 500),
)
PREVENTED = (
    dispute("du_prev", "ch_a", 500, status="prevented", withdrawn=False),
    dispute("du_prev", "ch_a", 500, status="prevented"),
)


def reversal_events() -> QuerySet[ActivityEvent]:
    """The events of refunds and disputes, oldest first."""
    purchases = {"credits.payment_backed_granted"}
    return (
        ActivityEvent.objects.filter(type__startswith="credits.payment_backed_")
        .exclude(type__in=purchases)
        .order_by("id")
    )


class CutOff(Exception):
    """The process was killed before it could commit."""


def interleaved(*histories: tuple[Change, ...]) -> Iterator[list[Change]]:
    """Yield every order of the changes in which each refund and dispute keeps its own."""
    owners = [owner for owner, history in enumerate(histories) for _ in history]
    for order in sorted(set(permutations(owners))):
        rest = [iter(history) for history in histories]
        yield [next(rest[owner]) for owner in order]


def readings(changes: list[Change]) -> list[PaymentFacts]:
    """Return what is read after each change: everything as it stands then."""
    now: dict[str, Change] = {}
    read = []
    for number, change in enumerate(changes):
        now[change.id] = change
        read.append(
            PaymentFacts(
                charge_id=change.charge_id,
                payment_intent_id=change.payment_intent_id,
                refunds=[item for item in now.values() if isinstance(item, Refund)],
                disputes=[item for item in now.values() if isinstance(item, Dispute)],
                read_at=read_at(number),
            )
        )
    return read


def play(order: Iterable[PaymentFacts], chance: random.Random | None = None) -> None:
    """Apply readings; now and then one is cut off before its commit and comes again."""
    for reading in order:
        if chance and chance.random() < 0.3:
            try:
                with transaction.atomic():
                    applying.apply(reading)
                    raise CutOff
            except CutOff:
                pass
        applying.apply(reading)


def orders(changes: list[Change], chance: random.Random, number: int) -> list[list[PaymentFacts]]:
    """Return some orders of the readings: in turn, reversed, shuffled, repeated, with gaps."""
    read = readings(changes)
    chosen = [read, read[::-1], [read[-1]]]
    for _ in range(number):
        some = [one for one in read[:-1] if chance.random() < 0.7] * 2 + [read[-1]]
        chance.shuffle(some)
        chosen.append(some)
    return chosen


def books(org: int) -> dict[str, Any]:
    """Return all that must not depend on the order."""
    house = Wallet.objects.filter(pk__in=HOUSE_IDS.values())
    reversals = PaymentReversal.objects.filter(organization=org)
    return {
        "balances": tuple(ledger.balances(org)),
        "house": dict(house.values_list("purpose", "balance")),
        "reversals": sorted(
            reversals.values_list(
                "stripe_id", "state", "credits", "in_force_cents", "excess_credits", "problem"
            )
        ),
    }


class Undo(Exception):
    """Everything that this order did is rolled back."""


def end_of(order: list[PaymentFacts], chance: random.Random, *, credits=500, discount=0, **before):
    """Return the books after an order on a new organization, and keep nothing of it."""
    ends: list[dict[str, Any]] = []
    try:
        with transaction.atomic():
            org = new_org()
            buy(org, credits, charge_id="ch_a", discount=discount)
            if before.get("spent"):
                spend(org, before["spent"])
            play(order, chance)
            assert list(checks.ledger_problems()) == []
            ends.append(books(org))
            raise Undo
    except Undo:
        return ends[0]


@pytest.mark.parametrize(
    ("histories", "balances", "states"),
    [
        ((REFUND_200, WON), (0, 300, 0, 0), {"re_o200": State.APPLIED, "du_won": State.UNDONE}),
        ((WON, LOST), (0, 0, 0, 0), {"du_won": State.UNDONE, "du_lost": State.LOST}),
        ((REFUND_FAILS, LOST), (0, 0, 0, 0), {"re_o500": State.CLOSED, "du_lost": State.LOST}),
        ((PENDING_FAILS, REFUND_200), (0, 300, 0, 0), {"re_p300": State.CLOSED}),
        ((CHARGEBACK,), (0, 0, 0, 0), {"du_ask": State.APPLIED}),
        ((PREVENTED,), (0, 0, 0, 0), {"du_prev": State.APPLIED}),
    ],
    ids=["refund, won", "won, lost", "failed, lost", "pending, failed", "inquiry", "prevented"],
)
def test_ends_the_same_in_every_order(db, histories, balances, states):
    chance = random.Random(1)
    for changes in interleaved(*histories):
        for order in orders(changes, chance, 1):
            end = end_of(order, chance)
            assert end["balances"] == balances
            found = {stripe_id: state for stripe_id, state, *_ in end["reversals"]}
            assert states.items() <= found.items()


def test_ends_the_same_in_house_wallets_and_shares_too(db):
    """Also with credits that were spent, by whichever the debt is then."""
    chance = random.Random(2)
    first: dict[str, Any] | None = None
    for changes in interleaved(REFUND_200, LOST):
        for order in orders(changes, chance, 2):
            end = end_of(order, chance, spent=120)
            first = first or end
            assert end == first
    assert first
    assert first["balances"] == (0, 0, 0, 120)


def _random_history(chance: random.Random, name: str) -> tuple[Change, ...]:
    cents = chance.randint(1, 700)
    if chance.random() < 0.5:
        stripe_id = f"re_{name}"
        statuses = ["pending", "requires_action", "succeeded", "failed", "canceled"]
        chosen = sorted(chance.sample(range(5), chance.randint(1, 3)))
        return tuple(refund(stripe_id, "ch_a", cents, status=statuses[n]) for n in chosen)
    stripe_id = f"du_{name}"
    asked = dispute(stripe_id, "ch_a", cents, status="warning_needs_response", withdrawn=False)
    taken = dispute(stripe_id, "ch_a", cents)
    end = chance.choice(
        [
            dispute(stripe_id, "ch_a", cents, status="lost"),
            dispute(stripe_id, "ch_a", cents, status="won", reinstated=True),
            dispute(stripe_id, "ch_a", cents, status="won", reinstated=max(1, cents // 3)),
            dispute(stripe_id, "ch_a", cents, status="prevented", withdrawn=False),
        ]
    )
    return (asked, taken, end)[chance.randint(0, 2) :]


def _check_random_facts(seed: int, number: int) -> None:
    chance = random.Random(seed)
    histories = [_random_history(chance, f"{seed}_{n}") for n in range(chance.randint(1, 3))]
    pool = [owner for owner, history in enumerate(histories) for _ in history]
    terms = {
        "credits": (credits := chance.choice([100, 333, 500])),
        "discount": chance.choice([0, 0, credits // 5, 7]),
        "spent": chance.choice([0, 90, credits]),
    }
    ends = []
    for _ in range(number):
        chance.shuffle(pool)
        rest = [iter(history) for history in histories]
        changes = [next(rest[owner]) for owner in pool]
        ends += [end_of(order, chance, **terms) for order in orders(changes, chance, 2)]
    assert all(end == ends[0] for end in ends), seed


@pytest.mark.parametrize("seed", range(6))
def test_random_facts_end_the_same_in_every_order(db, seed):
    _check_random_facts(seed, number=2)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [random.SystemRandom().getrandbits(32) for _ in range(200)])
def test_random_facts_end_the_same_for_long(db, seed):
    _check_random_facts(seed, number=8)


class TestRows:
    """Rows of the money page about what comes after a reversal."""

    @pytest.mark.parametrize("take", ["refund", "dispute"])
    def test_11a_a_hold_comes_back_and_the_reversal_ends(self, org, take):
        receipt = buy(org, 500, charge_id="ch_a")
        hold(org, "job_a", 90)
        began, ended = (REFUND_FAILS, (WON[0], WON[2]))[take == "dispute"]
        play(readings([began]))
        release(org, "job_a")
        assert ledger.balances(org) == (0, 0, 0, 0)

        play(readings([began, ended]))

        assert ledger.balances(org) == (0, 500, 0, 0)
        assert receipt.reversals.get().credits == 0
        spend(org, 500)

    def test_11i_two_disputes_share_and_the_first_is_won(self, org):
        buy(org, 500, charge_id="ch_a")
        first, second = dispute("du_i1", "ch_a", 300), dispute("du_i2", "ch_a", 300)

        one, two = applying.apply(readings([first, second])[1])
        assert (one.credits, two.credits, two.excess_credits) == (300, 200, 100)
        assert two.is_flagged

        won = dispute("du_i1", "ch_a", 300, status="won", reinstated=True)
        one, two = applying.apply(readings([first, second, won])[2])

        assert (one.credits, two.credits, two.excess_credits) == (0, 300, 0)
        assert not two.is_flagged
        assert ledger.balances(org) == (0, 200, 0, 0)
        told = [(event.type, event.details["credits"]) for event in reversal_events()]
        assert told[-1] == ("credits.payment_backed_reinstated", 200)
        assert sum(credits for kind, credits in told if kind.endswith("disputed")) == 500

    def test_a_shift_between_two_that_changes_no_balance_is_told_to_nobody(self, org):
        buy(org, 500, charge_id="ch_a")
        taken, earlier = dispute("du_s", "ch_a", 500), refund("re_s", "ch_a", 500)
        applying.apply(readings([taken])[-1])
        before = list(reversal_events())

        applied = applying.apply(readings([taken, earlier])[-1])

        assert {one.kind: one.credits for one in applied} == {"refund": 500, "dispute": 0}
        types = [event.type for event in reversal_events()][len(before) :]
        assert set(types) <= {"credits.payment_backed_reversal_rejected"}
        assert ledger.balances(org) == (0, 0, 0, 0)

    def test_11j_a_promotion_is_refunded_in_three_parts(self, org):
        buy(org, 500, charge_id="ch_a", discount=100)
        parts = [
            refund(f"re_j{cents}{n}", "ch_a", cents) for n, cents in enumerate([133, 133, 134])
        ]

        applied = applying.apply(readings(parts)[-1])

        assert [one.credits for one in applied] == [166, 166, 168]
        assert ledger.balances(org) == (0, 0, 0, 0)

    @pytest.mark.parametrize("take", ["refund", "dispute"])
    def test_11j_a_debt_that_was_written_off_is_recovered(self, org, take):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        began, ended = (REFUND_FAILS, (WON[0], WON[2]))[take == "dispute"]
        play(readings([began]))
        clawbacks.write_off(
            organization_id=org, credits=120, key="j", actor="tests", reason="goodwill"
        )
        assert Wallet.objects.get(pk=HOUSE_IDS[Purpose.LOSSES]).balance == 120

        play(readings([began, ended]))

        assert ledger.balances(org) == (0, 380, 0, 0)
        assert Wallet.objects.get(pk=HOUSE_IDS[Purpose.LOSSES]).balance == 0

    def test_a_written_off_part_is_neither_owed_nor_taken_when_news_is_repeated(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        began = readings([refund("re_n", "ch_a", 500)])
        play(began)
        clawbacks.write_off(
            organization_id=org, credits=70, key="n", actor="tests", reason="goodwill"
        )
        play(began * 2)
        assert ledger.balances(org) == (0, 0, 0, 50)
        buy(org, 100)
        moved = Transfer.objects.filter(organization=org).count()

        play(began * 2)

        assert ledger.balances(org) == (0, 50, 0, 0)
        assert Transfer.objects.filter(organization=org).count() == moved

    def test_of_what_a_receipt_owes_the_last_part_is_written_off_first(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 500)
        play(readings([refund("re_l", "ch_a", 200), dispute("du_l", "ch_a", 300)]))

        clawbacks.write_off(
            organization_id=org, credits=100, key="l", actor="tests", reason="goodwill"
        )

        rows = Clawback.objects.order_by("place")
        assert list(rows.values_list("owed", "written_off")) == [(200, 0), (200, 100)]

    def test_a_written_off_part_stays_with_the_last(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        began = [refund("re_w", "ch_a", 200), dispute("du_w", "ch_a", 500)]
        play(readings(began))
        clawbacks.write_off(
            organization_id=org, credits=50, key="w", actor="tests", reason="goodwill"
        )
        assert ledger.balances(org) == (0, 0, 0, 70)

        won = dispute("du_w", "ch_a", 500, status="won", reinstated=True)
        play(readings([*began, won]))

        assert ledger.balances(org) == (0, 180, 0, 0)
        assert Wallet.objects.get(pk=HOUSE_IDS[Purpose.LOSSES]).balance == 0
