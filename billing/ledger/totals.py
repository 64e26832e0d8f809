"""What credits came to over some days, from the figures by day: no history is read."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import Sum

from billing.chart import ROUTES, Kind, Purpose, Term
from billing.models import Environment, MoneyDay


class Movement(NamedTuple):
    """All movements of one name (a kind of the chart, or receipts) in one environment."""

    name: str
    environment: str
    times: int
    credits: int
    amount_cents: int

    @property
    def label(self) -> str:
        """What moved, in words."""
        return "receipts" if self.name == MoneyDay.RECEIPTS else str(Kind(self.name).label)


class Sold(NamedTuple):
    """Credits sold and what was paid for them; only live money is revenue."""

    environment: str
    credits: int
    amount_cents: int


class Turnover(NamedTuple):
    """Credits by what became of them; what was undone or won back is taken off."""

    sold: list[Sold]
    spent: int
    refunded: int
    disputed: int
    absorbed: int  # debts written off and disputes lost: borne by the house


def since(day: date) -> list[Movement]:
    """Add up the figures by day from a UTC day on."""
    rows = MoneyDay.objects.filter(day__gte=day).values_list("name", "environment")
    sums = rows.annotate(Sum("count"), Sum("credits"), Sum("amount_cents"))
    return [Movement(*row) for row in sums.order_by("name", "environment")]


def of(movements: Sequence[Movement]) -> Turnover:
    """Sort movements by what became of the credits."""
    kinds = [one for one in movements if one.name != MoneyDay.RECEIPTS]
    return Turnover(
        sold=_sold(movements),
        spent=sum(one.credits for one in kinds if one.name == Kind.CAPTURE),
        refunded=_reversed(kinds, "refund"),
        disputed=_reversed(kinds, "dispute"),
        absorbed=_into(kinds, Purpose.LOSSES),
    )


def _sold(movements: Sequence[Movement]) -> list[Sold]:
    receipts = [one for one in movements if one.name == MoneyDay.RECEIPTS]
    sold = [Sold(one.environment, one.credits, one.amount_cents) for one in receipts]
    if not any(one.environment == Environment.LIVE for one in sold):
        sold.append(Sold(Environment.LIVE, 0, 0))
    return sorted(sold, key=lambda one: one.environment != Environment.LIVE)


def _reversed(kinds: Sequence[Movement], why: str) -> int:
    """Add up what reversals of one sort took, spent before or not, less what they gave back."""
    return -sum(
        ROUTES[Kind(one.name)].sign * one.credits
        for one in kinds
        if one.name.startswith(why) and ROUTES[Kind(one.name)].term == Term.REVERSED
    )


def _into(kinds: Sequence[Movement], purpose: Purpose) -> int:
    routes = [(ROUTES[Kind(one.name)], one.credits) for one in kinds]
    came = sum(credits for route, credits in routes if route.target == purpose)
    return came - sum(credits for route, credits in routes if route.source == purpose)
