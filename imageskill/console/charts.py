"""Bars of charts, worked out on the server: shares of an image that is a hundred high."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

Number = int | Decimal


@dataclass(frozen=True, slots=True)
class Bar:
    """One value of a chart; `height` and `top` are percent of the chart, `top` from above.

    A bar below zero hangs from the line of zero.
    """

    label: str
    value: str
    height: int
    top: int

    @property
    def left(self) -> int:
        """Where the bar begins when the chart lies on its side."""
        return 100 - self.top - self.height


def bars(values: Sequence[tuple[str, Number]], *, unit: str = "") -> list[Bar]:
    """Lay values out between the highest and the lowest, zero included."""
    highest = max((value for _, value in values), default=0)
    lowest = min((value for _, value in values), default=0)
    return [bar(label, value, lowest=lowest, highest=highest, unit=unit) for label, value in values]


def bar(label: str, value: Number, *, lowest: Number, highest: Number, unit: str = "") -> Bar:
    """Lay one value out between others; zero is always in the image."""
    up, down = Decimal(max(highest, 0)), Decimal(min(lowest, 0))
    span = (up - down) or 1
    height = round(100 * abs(Decimal(value)) / span)
    top = round(100 * (up - max(value, 0)) / span)
    return Bar(label, f"{value:,} {unit}".strip(), height, min(top, 100 - height))
