from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import debit, revenue

MARGIN = Decimal("0.40")


class TestDebit:
    @pytest.mark.parametrize(
        ("usd", "credits"),
        [
            ("0.005", 1),
            ("0.02", 4),
            ("0.025", 5),
            ("0.04", 7),
            ("0.05", 9),
            ("0.06", 10),
            ("0.07", 12),
            ("0.10", 17),
            ("0.15", 25),
            ("0.20", 34),
            ("0.30", 50),
        ],
    )
    def test_the_worked_figures(self, usd, credits):
        assert debit(Decimal(usd), margin=MARGIN) == credits

    def test_three_outputs_at_seven_cents_are_thirty_five_not_thirty_six(self):
        assert debit(3 * Decimal("0.07"), margin=MARGIN) == 35

    def test_nothing_is_free(self):
        assert debit(Decimal(0), margin=MARGIN) == 1

    @pytest.mark.parametrize("margin", ["0", "0.5", "0.9"])
    def test_the_margin_is_the_callers(self, margin):
        kept = 1 - Decimal(margin)
        assert debit(Decimal("0.09"), margin=Decimal(margin)) == -(-Decimal(9) // kept)

    @pytest.mark.parametrize(("usd", "margin"), [("-0.01", "0.4"), ("1", "1"), ("1", "-0.1")])
    def test_impossible_figures_are_refused(self, usd, margin):
        with pytest.raises(ValueError, match="cost"):
            debit(Decimal(usd), margin=Decimal(margin))

    @given(
        usd=st.decimals("0", "1000", places=6),
        margin=st.decimals("0", "0.99", places=4),
    )
    def test_credits_cover_cost_and_margin_and_one_credit_less_would_not(self, usd, margin):
        credits = debit(usd, margin=margin)
        assert revenue(credits) * (1 - margin) >= usd
        assert credits == 1 or revenue(credits - 1) * (1 - margin) < usd
