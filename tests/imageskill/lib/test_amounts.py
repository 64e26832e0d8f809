"""Amounts of money, written and read without a float between."""

import pytest

from imageskill.lib import amounts


class TestAmounts:
    @pytest.mark.parametrize(
        ("text", "cents"),
        [("50", 5000), ("50.00", 5000), (" 12.5 ", 1250), ("1,250.00 USD", 125000), ("0.01", 1)],
    )
    def test_what_a_person_writes_is_read_to_the_cent(self, text, cents):
        assert amounts.parse_amount(text) == cents

    @pytest.mark.parametrize(
        "text", ["", "1,250", "12,50", "1.005", "-1", "1e3", "٣", "50 EUR", "0x10", "1 000"]
    )
    def test_what_could_mean_something_else_is_refused_with_an_example(self, text):
        with pytest.raises(ValueError, match=r"like 50\.00"):
            amounts.parse_amount(text)

    def test_what_is_written_can_be_read(self):
        for cents in (1, 99, 100, 123456, 100_000_000):
            assert amounts.parse_amount(amounts.format_amount(cents)) == cents
