"""Choices with a seed: the same seed makes the same choices."""

from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


class SeededRandom(Random):
    """Random choices, with the two that a history needs often. Nothing here guards a secret."""

    def weighted(self, weights: Mapping[_T, float]) -> _T:
        """Return one of the keys, by their weights."""
        return self.choices(list(weights), list(weights.values()))[0]

    def between(self, begin: datetime, end: datetime, *, late: float = 1.0) -> datetime:
        """Return a moment of the span; the larger `late`, the nearer to its end."""
        share: float = self.random() ** (1 / late)
        return begin + max(end - begin, end - end) * share
