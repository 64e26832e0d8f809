"""Fixtures of the money tests."""

from tests.billing.money import books_in_order, org
from tests.billing.shop import shop

__all__ = ["books_in_order", "org", "shop"]
