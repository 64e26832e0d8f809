"""A month's balances of organizations by kind of credits: opening + changes = closing.

Worked out of the month's sums by kind of transfer, whose routes say which wallets they change.
"""

from collections.abc import Mapping
from typing import NamedTuple

from billing.chart import ORGANIZATION_PURPOSES, ROUTES, Purpose, Term, TransferKind

OPENING, MOVED, CLOSING = "opening", "moved", "closing"
# The columns of a statement, in order: the terms of the equation, and what moved between kinds.
COLUMNS: tuple[tuple[str, str], ...] = (
    (OPENING, "Opening"),
    (Term.GRANTED.value, "Granted"),
    (Term.CAPTURED.value, "Consumed"),
    (Term.REVERSED.value, "Reversed"),
    (Term.ADJUSTED.value, "Adjusted"),
    (Term.WRITTEN_OFF.value, "Written off"),
    (MOVED, "Held, released and settled"),
    (CLOSING, "Closing"),
)


class BalanceLine(NamedTuple):
    """One kind of credits in a month; `cells` are its columns in credits."""

    label: str
    cells: list[int]

    @property
    def closing(self) -> int:
        """The balance at the month's end; a credit is a cent."""
        return self.cells[-1]


def balances(by_kind: Mapping[str, int]) -> dict[str, int]:
    """Return what transfers, summed by kind, come to in each wallet of an organization."""
    return {
        purpose.value: sum(_changes(purpose, by_kind).values()) for purpose in ORGANIZATION_PURPOSES
    }


def statement(opening: Mapping[str, int], by_kind: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return the columns of each kind of credits for a month."""
    lines = {}
    for purpose in ORGANIZATION_PURPOSES:
        changes = _changes(purpose, by_kind)
        begin = opening[purpose.value]
        closing = begin + sum(changes.values())
        lines[purpose.value] = {OPENING: begin, **changes, CLOSING: closing}
    return lines


def lines_of(balances: Mapping[str, Mapping[str, int]]) -> list[BalanceLine]:
    """Return a statement's lines for people."""
    return [
        BalanceLine(str(purpose.label), [balances[purpose.value][name] for name, _ in COLUMNS])
        for purpose in ORGANIZATION_PURPOSES
        if purpose.value in balances
    ]


def _changes(purpose: Purpose, by_kind: Mapping[str, int]) -> dict[str, int]:
    changes = {name: 0 for name, _ in COLUMNS if name not in (OPENING, CLOSING)}
    for kind, credits in by_kind.items():
        route = ROUTES[TransferKind(kind)]
        name = MOVED if route.term is None else route.term.value
        if route.target == purpose:
            changes[name] += credits
        if route.source == purpose:
            changes[name] -= credits
    return changes
