"""Bars of charts, laid out on the server in percent of the chart's height."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

Number = int | Decimal


@dataclass(frozen=True, slots=True)
class Bar:
    """One value of a chart; `height` and `top` are percent of the chart, `top` from above.

    A bar below zero starts at the line of zero.
    """

    label: str
    value: str
    height: int
    top: int

    @property
    def left(self) -> int:
        """The bar's start in a horizontal chart."""
        return 100 - self.top - self.height


def day_label(day: date) -> str:
    """Return a day as charts and tables show it: `Nov 30`."""
    return f"{day:%b} {day.day}"


def bars(values: Sequence[tuple[str, Number]], *, unit: str = "") -> list[Bar]:
    """Return the bars of values between the highest and the lowest, zero included."""
    highest = max((value for _, value in values), default=0)
    lowest = min((value for _, value in values), default=0)
    return [bar(label, value, lowest=lowest, highest=highest, unit=unit) for label, value in values]


def bar(label: str, value: Number, *, lowest: Number, highest: Number, unit: str = "") -> Bar:
    """Return the bar of one value between others; zero is always in the chart."""
    up, down = Decimal(max(highest, 0)), Decimal(min(lowest, 0))
    span = (up - down) or 1
    height = round(100 * abs(Decimal(value)) / span)
    top = round(100 * (up - max(value, 0)) / span)
    return Bar(label, f"{value:,} {unit}".strip(), height, min(top, 100 - height))
