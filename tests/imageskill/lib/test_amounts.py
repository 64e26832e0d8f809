"""Amounts of money, written and read without a float between."""

import ast
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from imageskill.lib import amounts, envelope, exact_json

ROOT = Path(amounts.__file__).parents[2]
HOME = Path(amounts.__file__)
PACKAGES = ("accounts", "billing", "feedback", "imageskill", "jobs")


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
            assert amounts.parse_amount(amounts.format_number(cents)) == cents

    @pytest.mark.parametrize(
        ("cents", "currency", "plain", "with_symbol"),
        [
            (0, "USD", "0.00 USD", "$0.00"),
            (125_000, "usd", "1,250.00 USD", "$1,250.00"),
            (-1205, "USD", "-12.05 USD", "-$12.05"),
            (500, "eur", "5.00 EUR", "5.00 EUR"),
            (9_007_199_254_740_993, "USD", "90,071,992,547,409.93 USD", "$90,071,992,547,409.93"),
        ],
    )
    def test_every_cent_is_written_with_its_currency(self, cents, currency, plain, with_symbol):
        assert amounts.format_amount(cents, currency) == plain
        assert amounts.format_amount(cents, currency, with_symbol=True) == with_symbol


def money_by_hand(tree):
    """The lines that turn cents into another number or a text: only `lib/amounts` does that."""
    for node in ast.walk(tree):
        is_found = False
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Mod):
            is_hundred = isinstance(node.right, ast.Constant) and node.right.value == 100
            is_found = is_hundred and speaks_of_cents(node.left)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "float":
            is_found = any(map(speaks_of_cents, node.args))
        elif isinstance(node, ast.FormattedValue) and node.format_spec:
            has_fraction = "2f" in ast.unparse(node.format_spec)
            is_found = has_fraction and speaks_of_cents(node.value)
        if is_found:
            yield f"{node.lineno}: {ast.unparse(node)}"


def speaks_of_cents(node):
    names = (getattr(part, "id", getattr(part, "attr", "")) for part in ast.walk(node))
    return any("cents" in name for name in names)


class TestOneHome:
    def test_nothing_else_writes_cents(self):
        files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
        assert len(files) > 300
        found = [
            f"{path.relative_to(ROOT)}:{line}"
            for path in files
            if path != HOME and "migrations" not in path.parts
            for line in money_by_hand(ast.parse(path.read_text()))
        ]
        assert found == []

    @pytest.mark.parametrize(
        "code",
        [
            "receipt.amount_cents / 100",
            'f"${quote.price_cents // 100}.{quote.price_cents % 100:02}"',
            "float(receipt.amount_cents)",
            'f"{total_cents:.2f}"',
        ],
    )
    def test_what_the_walk_looks_for(self, code):
        assert list(money_by_hand(ast.parse(code)))


class TestTemplates:
    """Filters that go through floats, or round, never touch an amount in cents."""

    FILTERS = ("floatformat", "divisibleby", "widthratio", "percent", "stringformat")

    def test_none_writes_cents_by_itself(self):
        files = list((ROOT / "templates").rglob("*.*"))
        assert len(files) > 100
        found = [
            f"{path.relative_to(ROOT)}: {tag}"
            for path in files
            for tag in re.findall(r"\{[{%].*?[%}]\}", path.read_text())
            if "cents" in tag and any(name in tag for name in self.FILTERS)
        ]
        assert found == []


class TestJson:
    @pytest.mark.parametrize(
        ("number", "written"),
        [("0.07", "0.07"), ("1E+2", "100"), ("-12.50", "-12.50"), ("0.1234567890123456789", None)],
    )
    def test_decimals_are_numbers_digit_by_digit(self, number, written):
        assert envelope.dumps({"usd": Decimal(number)}) == f'{{"usd":{written or number}}}'

    @pytest.mark.parametrize("number", ["0.07", "0.1234567890123456789", "-12.50"])
    def test_decimals_come_back_digit_by_digit(self, number):
        text = json.dumps({"usd": [Decimal(number)]}, cls=exact_json.ExactEncoder)
        assert json.loads(text, cls=exact_json.ExactDecoder) == {"usd": [Decimal(number)]}

    def test_a_column_of_them_needs_no_field_of_ours_in_migrations(self):
        field = exact_json.ExactJSONField(null=True)
        field.set_attributes_from_name("cost")
        _, path, args, options = field.deconstruct()
        assert (path, args, options) == ("django.db.models.JSONField", [], {"null": True})
