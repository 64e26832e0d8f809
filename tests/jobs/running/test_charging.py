"""What a finished job is charged, to the credit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.running.charging import compute_charge


def charge(**changes):
    terms = {
        "planned_usd": Decimal("0.07"),
        "reported_usd": None,
        "is_usage_priced": False,
        "credits_held": 12,
        "outputs": 1,
        "planned_outputs": 1,
        "margin": Decimal("0.40"),
    }
    return compute_charge(**terms | changes)


class TestChargeOf:
    def test_planned_price_stands(self):
        assert charge().credits == 12

    def test_planned_price_stands_whatever_the_provider_reports(self):
        done = charge(reported_usd=Decimal("0.50"))

        assert (done.credits, done.provider_usd) == (12, Decimal("0.50"))

    @pytest.mark.parametrize(
        ("reported", "credits"), [("0.02", 4), ("0.025", 5), ("0.05", 9), ("0", 1)]
    )
    def test_usage_decides_below_the_hold(self, reported, credits):
        done = charge(is_usage_priced=True, credits_held=34, reported_usd=Decimal(reported))

        assert (done.credits, done.excess_usd) == (credits, None)

    def test_usage_never_takes_more_than_the_hold(self):
        done = charge(is_usage_priced=True, credits_held=9, reported_usd=Decimal("0.20"))

        assert (done.credits, done.excess_usd) == (9, Decimal("0.13"))

    def test_usage_that_is_not_reported_takes_the_hold(self):
        assert charge(is_usage_priced=True, credits_held=9).credits == 9

    def test_fewer_outputs_than_planned_cost_less(self):
        planned = Decimal("0.21")

        assert (
            charge(planned_usd=planned, credits_held=35, outputs=3, planned_outputs=3).credits == 35
        )
        assert (
            charge(planned_usd=planned, credits_held=35, outputs=1, planned_outputs=3).credits == 12
        )

    def test_a_part_never_takes_more_than_the_hold(self):
        planned = Decimal("0.21")

        part = charge(planned_usd=planned, credits_held=10, outputs=2, planned_outputs=3)

        assert part.credits == 10

    def test_what_is_billed_and_not_delivered_is_the_houses(self):
        done = charge(
            planned_usd=Decimal("0.21"),
            credits_held=35,
            outputs=2,
            planned_outputs=3,
            undelivered=1,
        )

        assert (done.credits, done.provider_usd) == (24, Decimal("0.14"))
        assert done.undelivered_usd == Decimal("0.07")
        assert charge(outputs=1, planned_outputs=1).undelivered_usd is None

    def test_of_reported_usage_the_delivered_share_is_charged(self):
        terms = {"planned_usd": Decimal("0.21"), "credits_held": 35, "planned_outputs": 3}
        part = {"is_usage_priced": True, "outputs": 2, **terms}

        shared = charge(reported_usd=Decimal("0.09"), undelivered=1, **part)
        dear = charge(reported_usd=Decimal("0.18"), **part)

        assert (shared.credits, shared.undelivered_usd) == (10, Decimal("0.03"))
        assert (dear.credits, dear.excess_usd) == (24, Decimal("0.04"))

    @given(
        planned=st.decimals("0", "10", places=6),
        reported=st.none() | st.decimals("0", "10", places=6),
        held=st.integers(1, 5000),
        outputs=st.integers(1, 10),
        is_usage_priced=st.booleans(),
    )
    def test_is_at_least_one_and_at_most_the_hold(
        self, planned, reported, held, outputs, is_usage_priced
    ):
        done = charge(
            planned_usd=planned,
            reported_usd=reported,
            credits_held=held,
            outputs=outputs,
            planned_outputs=10,
            is_usage_priced=is_usage_priced,
        )

        assert 1 <= done.credits <= held
