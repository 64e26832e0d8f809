"""Totals of credits over some days, from the daily totals: no history is read."""

from collections.abc import Container, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from django.db.models import Sum

from billing.chart import ROUTES, Purpose, Term, TransferKind
from billing.models import Environment, MoneyDay


class MovementTotal(NamedTuple):
    """The movements of one name (a kind of the chart, or receipts) in one environment."""

    name: str
    environment: str
    times: int
    credits: int
    amount_cents: int

    @property
    def label(self) -> str:
        """What moved, for people."""
        return "Receipts" if self.name == MoneyDay.RECEIPTS else str(TransferKind(self.name).label)


class SalesTotal(NamedTuple):
    """Credits sold and what was paid for them; only live money is revenue."""

    environment: str
    credits: int
    amount_cents: int


class CreditTotals(NamedTuple):
    """Credits by how they were used; reversals that were undone or won are subtracted."""

    sold: list[SalesTotal]
    spent: int
    refunded: int
    disputed: int
    absorbed: int  # debts written off and disputes lost: borne by the house


class Sales(NamedTuple):
    """What was paid in some environments, and what of it went back, in cents."""

    gross_cents: int
    refunded_cents: int
    disputed_cents: int
    credits: int

    @property
    def net_cents(self) -> int:
        """What is left of the payments."""
        return self.gross_cents - self.refunded_cents - self.disputed_cents


def sales(movements: Sequence[MovementTotal], *, environments: Container[str]) -> Sales:
    """Return the sales of these environments alone, less what was refunded and disputed."""
    chosen = [movement for movement in movements if movement.environment in environments]
    receipts = [movement for movement in chosen if movement.name == MoneyDay.RECEIPTS]
    return Sales(
        gross_cents=sum(movement.amount_cents for movement in receipts),
        refunded_cents=_net_reversed_cents(chosen, "refund"),
        disputed_cents=_net_reversed_cents(chosen, "dispute"),
        credits=sum(movement.credits for movement in receipts),
    )


def balances_after(day: date, *, now: Mapping[str, int]) -> dict[str, int]:
    """Return the balances by purpose at the end of a UTC day: of now, less what came since."""
    balances = dict(now)
    since = day + timedelta(days=1)
    for movement in movements_between(since, None):
        if movement.name == MoneyDay.RECEIPTS:
            continue
        route = ROUTES[TransferKind(movement.name)]
        balances[route.target] -= movement.credits
        balances[route.source] += movement.credits
    return balances


def movements_between(first: date, last: date | None) -> list[MovementTotal]:
    """Return the totals by name and environment of UTC days, the last one included."""
    days = MoneyDay.objects.filter(day__gte=first)
    if last is not None:
        days = days.filter(day__lte=last)
    rows = days.values_list("name", "environment")
    sums = rows.annotate(Sum("count"), Sum("credits"), Sum("amount_cents"))
    return [MovementTotal(*row) for row in sums.order_by("name", "environment")]


def summarize(movements: Sequence[MovementTotal]) -> CreditTotals:
    """Return the totals by how the credits were used."""
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


def _net_reversed(kinds: Sequence[MovementTotal], prefix: str) -> int:
    """Return what reversals of one kind took, spent before or not, less what they returned."""
    return -sum(
        ROUTES[TransferKind(movement.name)].sign * movement.credits
        for movement in kinds
        if movement.name.startswith(prefix)
        and ROUTES[TransferKind(movement.name)].term == Term.REVERSED
    )


def _net_reversed_cents(movements: Sequence[MovementTotal], prefix: str) -> int:
    return -sum(
        ROUTES[TransferKind(movement.name)].sign * movement.amount_cents
        for movement in movements
        if movement.name.startswith(prefix)
        and ROUTES[TransferKind(movement.name)].term == Term.REVERSED
    )


def _net_into(kinds: Sequence[MovementTotal], purpose: Purpose) -> int:
    routes = [(ROUTES[TransferKind(movement.name)], movement.credits) for movement in kinds]
    came = sum(credits for route, credits in routes if route.target == purpose)
    return came - sum(credits for route, credits in routes if route.source == purpose)
