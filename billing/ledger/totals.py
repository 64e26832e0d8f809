"""What credits came to over some days, from the figures by day: no history is read."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import Sum

from billing.chart import ROUTES, Purpose, Term, TransferKind
from billing.models import Environment, MoneyDay


class MovementTotal(NamedTuple):
    """All movements of one name (a kind of the chart, or receipts) in one environment."""

    name: str
    environment: str
    times: int
    credits: int
    amount_cents: int

    @property
    def label(self) -> str:
        """What moved, in words."""
        return "receipts" if self.name == MoneyDay.RECEIPTS else str(TransferKind(self.name).label)


class SalesTotal(NamedTuple):
    """Credits sold and what was paid for them; only live money is revenue."""

    environment: str
    credits: int
    amount_cents: int


class CreditTotals(NamedTuple):
    """Credits by what became of them; what was undone or won back is taken off."""

    sold: list[SalesTotal]
    spent: int
    refunded: int
    disputed: int
    absorbed: int  # debts written off and disputes lost: borne by the house


def movements_since(day: date) -> list[MovementTotal]:
    """Add up the figures by day from a UTC day on."""
    rows = MoneyDay.objects.filter(day__gte=day).values_list("name", "environment")
    sums = rows.annotate(Sum("count"), Sum("credits"), Sum("amount_cents"))
    return [MovementTotal(*row) for row in sums.order_by("name", "environment")]


def summarize(movements: Sequence[MovementTotal]) -> CreditTotals:
    """Sort movements by what became of the credits."""
    kinds = [movement for movement in movements if movement.name != MoneyDay.RECEIPTS]
    return CreditTotals(
        sold=_sales(movements),
        spent=sum(movement.credits for movement in kinds if movement.name == TransferKind.CAPTURE),
        refunded=_net_reversed(kinds, "refund"),
        disputed=_net_reversed(kinds, "dispute"),
        absorbed=_net_into(kinds, Purpose.LOSSES),
    )


def _sales(movements: Sequence[MovementTotal]) -> list[SalesTotal]:
    receipts = [movement for movement in movements if movement.name == MoneyDay.RECEIPTS]
    sold = [
        SalesTotal(movement.environment, movement.credits, movement.amount_cents)
        for movement in receipts
    ]
    if not any(movement.environment == Environment.LIVE for movement in sold):
        sold.append(SalesTotal(Environment.LIVE, 0, 0))
    return sorted(sold, key=lambda movement: movement.environment != Environment.LIVE)


def _net_reversed(kinds: Sequence[MovementTotal], why: str) -> int:
    """Add up what reversals of one sort took, spent before or not, less what they gave back."""
    return -sum(
        ROUTES[TransferKind(movement.name)].sign * movement.credits
        for movement in kinds
        if movement.name.startswith(why)
        and ROUTES[TransferKind(movement.name)].term == Term.REVERSED
    )


def _net_into(kinds: Sequence[MovementTotal], purpose: Purpose) -> int:
    routes = [(ROUTES[TransferKind(movement.name)], movement.credits) for movement in kinds]
    came = sum(credits for route, credits in routes if route.target == purpose)
    return came - sum(credits for route, credits in routes if route.source == purpose)
