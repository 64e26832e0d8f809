"""Amounts of money: whole cents, as people write and read them."""

import re
from decimal import Decimal

# Thousands may be told apart where the cents stand there too: `1,500` alone could mean either.
_AMOUNT_PATTERN = re.compile(r"([0-9]{1,9}(\.[0-9]{1,2})?|[0-9]{1,3}(,[0-9]{3}){1,2}\.[0-9]{2})")


def from_cents(cents: int) -> Decimal:
    """Return whole cents as an exact number of the currency's unit."""
    return Decimal(cents).scaleb(-2)


def format_amount(cents: int, currency: str = "USD") -> str:
    """Write whole cents with their currency: `1,250.00 USD`."""
    return f"{Decimal(cents) / 100:,.2f} {currency}"


def parse_amount(text: str, currency: str = "USD") -> int:
    """Read an amount as `50`, `50.00` or `1,250.00`, the currency after it or not, into cents.

    Raises ValueError, saying how to write it.
    """
    number = text.strip().removesuffix(currency).rstrip()
    if not _AMOUNT_PATTERN.fullmatch(number):
        raise ValueError(f"“{text.strip()}” is no amount; write it like 50.00, in {currency}.")
    return int(Decimal(number.replace(",", "")) * 100)
