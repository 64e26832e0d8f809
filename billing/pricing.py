"""Credits from a provider's dollars, exactly: no settings, no models, no floats."""

import math
from decimal import Decimal
from fractions import Fraction

CREDIT_USD = Decimal("0.01")


def debit(usd: Decimal, *, margin: Decimal) -> int:
    """Return the credits to charge for a provider cost: at least 1, rounded up, exactly.

    `margin` is the target gross margin, such as 0.40: the credits are worth the cost divided by
    what the margin leaves. Raises `ValueError` for a negative cost or a margin outside 0 to 1.
    """
    if usd < 0 or not 0 <= margin < 1:
        raise ValueError("A cost can't be negative, and a margin is at least 0 and below 1.")
    return max(1, math.ceil(Fraction(usd) / (1 - Fraction(margin)) / Fraction(CREDIT_USD)))


def revenue(credits: int) -> Decimal:
    """Return what a number of credits is worth in dollars."""
    return credits * CREDIT_USD
