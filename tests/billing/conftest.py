"""Fixtures of the money tests."""

from tests.billing.money import books_in_order, org

__all__ = ["books_in_order", "org"]
