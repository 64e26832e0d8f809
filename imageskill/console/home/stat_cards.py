"""Stat cards of Home, each with a link to exactly the rows that it counts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from imageskill.console import links
from imageskill.lib.admin import keyset

RED, AMBER, GREEN, PLAIN = "red", "amber", "green", ""


@dataclass(frozen=True, slots=True)
class StatCard:
    """One figure with its link; `as_of` is when it was counted, where that was not now."""

    label: str
    figure: str
    url: str
    tone: str = PLAIN
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class RowCounter:
    """A set of rows, and the filter of their list; the tone is of any number above zero."""

    label: str
    rows: Callable[[], QuerySet[Any]]
    query: dict[str, str] = field(default_factory=dict)
    tone: str = PLAIN


def build_cards(request: HttpRequest, every: Iterable[RowCounter]) -> list[StatCard]:
    """Count what the user may see, in one statement that stays quick at any table size."""
    sets = [(one, rows) for one in every if links.may_see(request, (rows := one.rows()).model)]
    numbers = keyset.count_sets([rows for _, rows in sets])
    return [
        _build_card(one, rows.model, number)
        for (one, rows), number in zip(sets, numbers, strict=True)
    ]


def _build_card(one: RowCounter, model: type[Model], number: int) -> StatCard:
    most = keyset.EXACT_COUNT_LIMIT
    figure = f"over {most:,}" if number > most else f"{number:,}"
    calm = GREEN if one.tone else PLAIN
    return StatCard(
        one.label, figure, links.list_url(model, one.query), one.tone if number else calm
    )
