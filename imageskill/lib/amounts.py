"""Amounts of money: whole cents, as people write and read them. No float comes near them."""

import re
from decimal import Decimal

# Thousands may be separated where the cents are there too: `1,500` alone could mean either.
_AMOUNT_PATTERN = re.compile(r"([0-9]{1,9}(\.[0-9]{1,2})?|[0-9]{1,3}(,[0-9]{3}){1,2}\.[0-9]{2})")
_SYMBOLS = {"USD": "$"}


def from_cents(cents: int) -> Decimal:
    """Return whole cents as an exact number of the currency's unit."""
    return Decimal(cents).scaleb(-2)


def format_number(cents: int) -> str:
    """Return whole cents without their currency, as a form's field shows them: `1,250.00`."""
    return f"{from_cents(cents):,.2f}"


def format_amount(cents: int, currency: str = "USD", *, with_symbol: bool = False) -> str:
    """Return whole cents with their currency: `1,250.00 USD`.

    `with_symbol` is for sponsors and agents: `$1,250.00`, where the currency has a symbol here.
    """
    currency = currency.upper()
    symbol = _SYMBOLS.get(currency) if with_symbol else None
    if symbol is None:
        return f"{format_number(cents)} {currency}"
    return f"{'-' if cents < 0 else ''}{symbol}{format_number(abs(cents))}"


def parse_amount(text: str, currency: str = "USD") -> int:
    """Read an amount as `50`, `50.00` or `1,250.00`, the currency after it or not, into cents.

    Raises ValueError, saying how to write it.
    """
    number = text.strip().removesuffix(currency).rstrip()
    if not _AMOUNT_PATTERN.fullmatch(number):
        raise ValueError(f"“{text.strip()}” is not an amount; write it like 50.00, in {currency}.")
    return int(Decimal(number.replace(",", "")).scaleb(2))
