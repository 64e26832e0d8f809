"""Chance with a seed: the same seed, the same history."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from imageskill.lib import ids

_T = TypeVar("_T")


class Dice(Random):
    """Random choices, with the few that a history needs often. Nothing here guards a secret."""

    def text(self, length: int) -> str:
        """Return letters and digits."""
        return "".join(self.choices(ids.ALPHABET, k=length))

    def public_id(self, kind: str) -> str:
        """Return a public id of the kind."""
        return ids.PREFIXES[kind] + self.text(22)

    def trace(self) -> str:
        """Return a trace id."""
        return f"trace_{self.getrandbits(128):032x}"

    def one_of(self, weights: Mapping[_T, float]) -> _T:
        """Choose by weight."""
        return self.choices(list(weights), list(weights.values()))[0]

    def between(self, begin: datetime, end: datetime, *, late: float = 1.0) -> datetime:
        """Choose a moment; the larger `late`, the nearer to the end."""
        return begin + (end - begin) * self.random() ** (1 / late)

    def after(self, begin: datetime, least_s: float, most_s: float) -> datetime:
        """Choose a moment so many seconds later."""
        return begin + timedelta(seconds=self.uniform(least_s, most_s))
