"""What refunds and disputes take of a payment: worked examples, and every order of the facts."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from billing.reversals.in_force import Fact, Payment, derive, derive_unmatched

THEN = datetime(2026, 11, 1, tzinfo=UTC)


def refund(cents, *, day=0, status="succeeded", currency="USD", stripe_id=None) -> Fact:
    return Fact(
        id=stripe_id or f"re_{day}",
        kind="refund",
        status=status,
        cents=cents,
        currency=currency,
        created_at=THEN + timedelta(days=day),
    )


def dispute(cents, *, day=0, status="needs_response", out=None, back=0, currency="USD") -> Fact:
    return Fact(
        id=f"du_{day}",
        kind="dispute",
        status=status,
        cents=cents,
        currency=currency,
        created_at=THEN + timedelta(days=day),
        withdrawn_cents=cents if out is None else out,
        reinstated_cents=back,
    )


def paid(credits=500, cents=None) -> Payment:
    return Payment(credits=credits, cents=credits if cents is None else cents, currency="USD")


def takes(payment: Payment, *facts: Fact) -> list[int]:
    return [effect.credits for effect in derive(payment, facts)]


class TestShares:
    def test_parts_of_a_promotion_add_up_to_all_credits(self):
        parts = [refund(133, day=1), refund(133, day=2), refund(134, day=3)]

        assert takes(paid(500, 400), *parts) == [166, 166, 168]

    def test_half_of_a_taxed_payment_takes_half_the_credits(self):
        assert takes(paid(500, 600), refund(300)) == [250]

    def test_of_a_free_purchase_nothing_is_taken(self):
        assert takes(paid(500, 0), refund(0)) == [0]

    def test_refunds_come_before_disputes_whenever_they_were_made(self):
        assert takes(paid(), dispute(500, day=0), refund(200, day=9)) == [200, 300]

    def test_the_one_made_first_comes_first(self):
        later, sooner = refund(400, day=2, stripe_id="re_a"), refund(400, day=1, stripe_id="re_b")

        assert [effect.fact.id for effect in derive(paid(), [later, sooner])] == ["re_b", "re_a"]

    def test_of_one_moment_go_by_id(self):
        facts = [refund(400, stripe_id="re_b"), refund(400, stripe_id="re_a")]

        effects = derive(paid(), facts)

        assert [(effect.fact.id, effect.credits) for effect in effects] == [
            ("re_a", 400),
            ("re_b", 100),
        ]

    def test_what_exceeds_the_payment_is_flagged(self):
        effects = derive(paid(), [refund(200, day=1), refund(300, day=2), refund(1, day=3)])

        assert [effect.credits for effect in effects] == [200, 300, 0]
        assert (effects[2].state, effects[2].problem) == ("rejected", "reversed_already")
        assert (effects[2].excess_cents, effects[2].excess_credits) == (1, 1)

    def test_an_excess_of_less_than_a_credit_is_flagged_too(self):
        [effect] = derive(paid(500, 600), [refund(601)])

        assert (effect.credits, effect.problem, effect.excess_credits) == (
            500,
            "exceeds_receipt",
            1,
        )

    def test_a_part_of_less_than_a_credit_is_no_excess(self):
        [effect] = derive(paid(500, 600), [refund(1)])

        assert (effect.credits, effect.state, effect.problem) == (0, "applied", "")

    @pytest.mark.parametrize(
        ("first", "expected"),
        [
            (dispute(300, day=1), [300, 200]),
            (dispute(300, day=1, status="won", back=300), [0, 300]),
        ],
    )
    def test_two_disputes_share_the_payment(self, first, expected):
        assert takes(paid(), first, dispute(300, day=2)) == expected

    def test_a_part_that_was_reinstated_is_no_longer_taken(self):
        assert takes(paid(), dispute(500, back=200)) == [300]

    def test_more_reinstated_than_withdrawn_takes_nothing(self):
        fact = dispute(300, status="won", back=310)
        assert (fact.standing_cents, fact.is_lost) == (0, False)

    def test_a_lost_inquiry_without_funds_is_no_loss(self):
        assert not dispute(300, status="lost", out=0).is_lost

    def test_no_order_of_the_facts_changes_anything(self):
        facts = [
            refund(100, day=3),
            refund(50, day=1, status="failed"),
            dispute(300, day=2),
            dispute(200, day=4, status="lost"),
        ]

        ends = {tuple(derive(paid(450, 500), order)) for order in permutations(facts)}

        assert len(ends) == 1


class TestStates:
    @pytest.mark.parametrize(
        ("fact", "state"),
        [
            (refund(9, status="pending"), "seen"),
            (refund(9, status="requires_action"), "seen"),
            (refund(9), "applied"),
            (refund(9, status="failed"), "closed"),
            (refund(9, status="canceled"), "closed"),
            (dispute(9, status="warning_needs_response", out=0), "seen"),
            (dispute(9, status="warning_closed", out=0), "closed"),
            (dispute(9, status="prevented", out=0), "closed"),
            (dispute(9, status="lost", out=0), "closed"),
            (dispute(9, status="prevented"), "applied"),
            (dispute(9, status="warning_closed"), "applied"),
            (dispute(9), "applied"),
            (dispute(9, status="won"), "applied"),
            (dispute(9, status="won", back=9), "undone"),
            (dispute(9, status="lost", back=9), "undone"),
            (dispute(9, status="lost"), "lost"),
            (dispute(9, status="won", back=4), "lost"),
        ],
    )
    def test_follow_from_status_and_funds(self, fact, state):
        assert [effect.state for effect in derive(paid(), [fact])] == [state]

    @pytest.mark.parametrize("fact", [refund(9, currency="EUR"), dispute(9, currency="EUR")])
    def test_another_currency_takes_nothing(self, fact):
        [effect, _] = sorted(
            derive(paid(), [fact, refund(500, day=1)]), key=lambda effect: effect.credits
        )

        assert (effect.state, effect.problem) == ("rejected", "other_currency")


class TestUnmatchedPayment:
    @pytest.mark.parametrize(
        ("facts", "state"),
        [
            ([], "open"),
            ([refund(500, status="pending")], "refunding"),
            ([refund(500)], "refunded"),
            ([refund(500, status="failed")], "open"),
            ([refund(500, currency="EUR")], "open"),
            ([refund(200)], "partly_refunded"),
            ([refund(200, day=1), refund(300, day=2)], "refunded"),
            ([refund(200, day=1), refund(300, day=2, status="pending")], "refunding"),
            ([dispute(500, status="warning_needs_response", out=0)], "open"),
            ([dispute(500, out=0)], "disputed"),
            ([dispute(500)], "disputed"),
            ([dispute(500, status="won", back=500)], "open"),
            ([dispute(500, status="lost")], "lost"),
            ([refund(200), dispute(300, status="lost")], "lost"),
            ([refund(100), dispute(300, status="lost")], "partly_refunded"),
            ([dispute(300, status="lost")], "partly_refunded"),
            ([dispute(500, back=500)], "open"),  # reinstated before the bank says who won
        ],
    )
    def test_follows_from_all_refunds_and_disputes(self, facts, state):
        for order in permutations(facts):
            assert (
                derive_unmatched(cents=500, currency="USD", facts=order, is_under_way=False)
                == state
            )

    def test_a_refund_on_its_way_to_stripe_counts(self):
        assert (
            derive_unmatched(cents=500, currency="USD", facts=[], is_under_way=True) == "refunding"
        )
