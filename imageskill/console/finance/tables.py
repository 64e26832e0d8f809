"""The tables of the financial overview: the same rows for the page and for its files."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Sum, TextChoices
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.chart import Purpose, TransferKind
from billing.ledger import daily_totals
from billing.ledger import totals as ledger_totals
from billing.models import Environment, MoneyDay, Receipt, Transfer, Wallet
from billing.stripe import gateway
from imageskill.console.charts import day_label
from imageskill.lib import amounts
from imageskill.lib.admin.formatting import display_datetime, list_link
from jobs.models import Job, ModelDay

_CENT = Decimal("0.01")
_Cell = str | SafeString


class Column(NamedTuple):
    """One column: its heading on the page, its name in a file, and its formatter."""

    label: str
    name: str
    show: Callable[[Any], _Cell] = str
    is_number: bool = True
    is_shown: bool = True  # on the page; a file has every column

    @property
    def file_heading(self) -> str:
        """The heading in a file: the same words, and the unit of an amount."""
        return f"{self.label}, USD" if self.show in (_usd, _margin, _cents) else self.label


class FinancialTable(NamedTuple):
    """Rows of raw values: formatted on the page, written to a file as they are."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    empty: str = "No jobs ended in this period."

    @property
    def headings(self) -> list[Column]:
        """The columns that the page shows."""
        return [column for column in self.columns if column.is_shown]

    @property
    def file_rows(self) -> list[list[Any]]:
        """Each row as a file has it: amounts in dollars, so that a sheet adds them up."""
        return [
            [
                amounts.from_cents(value) if column.show is _cents and value is not None else value
                for column, value in zip(self.columns, row, strict=True)
            ]
            for row in self.rows
        ]

    @property
    def shown(self) -> list[list[tuple[_Cell, bool]]]:
        """Each cell as the page shows it, and whether it is a number."""
        return [
            [
                (column.show(value), column.is_number)
                for column, value in zip(self.columns, row, strict=True)
                if column.is_shown
            ]
            for row in self.rows
        ]


class WorkTotals(NamedTuple):
    """Totals of the jobs of one day, provider or model. A paid credit is one cent of revenue."""

    name: Any
    completed: int
    failed: int
    paid_credits: int
    free_credits: int
    cost: Decimal
    lost: Decimal

    @property
    def revenue(self) -> Decimal:
        """Paid credits in dollars."""
        return self.paid_credits * _CENT

    @property
    def margin(self) -> Decimal:
        """Revenue less provider cost and absorbed cost."""
        return (self.revenue - self.cost - self.lost).quantize(_CENT)

    @property
    def rate(self) -> str:
        """The margin as a share of the revenue."""
        return f"{self.margin / self.revenue:.0%}" if self.revenue else ""


class Scope(TextChoices):
    """Whose money a figure is about; one page never adds the two up."""

    LIVE = "live", "Live"
    TEST = "test", "Test and stand-in (no revenue)"

    @property
    def environments(self) -> frozenset[str]:
        """The environments of its receipts."""
        every = frozenset(Environment.values)
        live = frozenset({Environment.LIVE.value})
        return live if self is Scope.LIVE else every - live


def default_scope() -> Scope:
    """Return live money where there is or will be any."""
    is_live = gateway.is_configured() and gateway.environment() == Environment.LIVE
    has_sold = MoneyDay.objects.filter(name=MoneyDay.RECEIPTS, environment=Environment.LIVE)
    return Scope.LIVE if is_live or has_sold.exists() else Scope.TEST


_PAID_CREDITS = {
    Scope.LIVE: Sum("live_credits"),
    Scope.TEST: Sum("paid_credits") - Sum("live_credits"),
}


def totals_by(
    field: str, *, since: date, until: date | None = None, scope: Scope | None = None
) -> list[WorkTotals]:
    """Return totals by a column of the daily totals of models.

    With a scope, revenue is of credits that were bought with its money; cost is of all jobs.
    """
    days = ModelDay.objects.filter(day__gte=since)
    if until is not None:
        days = days.filter(day__lte=until)
    rows = days.values_list(field)
    sums = rows.annotate(
        done=Sum("completed"),
        not_done=Sum("failed"),
        paid=Sum("paid_credits") if scope is None else _PAID_CREDITS[scope],
        free=Sum("credits") - Sum("paid_credits"),
        cost=Sum("provider_usd"),
        lost=Sum("lost_usd"),
    )
    return [WorkTotals(*row) for row in sums.order_by(field)]


def all_tables(*, since: date, until: date, scope: Scope) -> list[FinancialTable]:
    """Return all tables of the UTC days from `since` to `until`, both included."""

    def work(name: str, title: str, heading: str, field: str) -> FinancialTable:
        rows = totals_by(field, since=since, until=until, scope=scope)
        return work_table(name, title, heading, rows[::-1] if name == "days" else rows)

    return [
        wallet_table(daily_totals.wallet_totals()),
        movement_table(ledger_totals.movements_between(since, until)),
        work("days", "By day", "Day", "day"),
        work("providers", "By provider", "Provider", "provider_id"),
        work("models", "By model", "Model", "model_id"),
    ]


def wallet_table(totals: daily_totals.WalletTotals) -> FinancialTable:
    """Return the balances of wallets by purpose."""
    counted_at = totals.counted_at
    return FinancialTable(
        "wallets",
        "Credits by wallet",
        (
            Column("Wallets", "purpose", _wallets_of, is_number=False),
            Column("For", "meaning", is_number=False, is_shown=False),
            Column("Credits", "credits", _format_integer),
            Column("As of", "counted_at", _moment, is_number=False),
        ),
        [
            (purpose, str(Purpose(purpose).label), credits, counted_at)
            for purpose, credits in totals.credits.items()
        ],
    )


def movement_table(movements: Sequence[ledger_totals.MovementTotal]) -> FinancialTable:
    """Return transfers and receipts by kind."""
    return FinancialTable(
        "movements",
        "Ledger transfers",
        (
            Column("Transfer", "kind", _rows_of, is_number=False),
            Column("Meaning", "meaning", is_number=False, is_shown=False),
            Column("Environment", "environment", _environment, is_number=False),
            Column("Count", "count", _format_integer),
            Column("Credits", "credits", _format_integer),
            Column("Amount", "amount", _cents),
        ),
        [
            (one.name, one.label, one.environment, one.times, one.credits, _paid_cents(one))
            for one in movements
        ],
        "No transfers in this period. A task counts every five minutes; "
        "`manage.py daily_totals` recounts past days.",
    )


def work_table(name: str, title: str, heading: str, rows: Sequence[WorkTotals]) -> FinancialTable:
    """Return revenue, cost and margin."""
    show = _NAME_FORMATTERS.get(name, _dash_if_empty)
    return FinancialTable(
        name,
        title,
        (
            Column(heading, heading.lower(), show, is_number=False),
            Column("Completed", "completed", _format_integer),
            Column("Failed", "failed", _format_integer),
            Column("Paid credits spent", "paid_credits", _format_integer),
            Column("Free credits spent", "free_credits", _format_integer),
            Column("Revenue", "revenue_usd", _usd),
            Column("Provider cost", "provider_cost_usd", _usd),
            Column("Absorbed cost", "losses_usd", _usd),
            Column("Margin", "margin_usd", _margin),
            Column("Margin, % of revenue", "margin_rate", _dash_if_empty),
        ),
        [
            (
                *(row.name, row.completed, row.failed, row.paid_credits, row.free_credits),
                *(row.revenue, row.cost, row.lost, row.margin, row.rate),
            )
            for row in rows
        ],
    )


def _paid_cents(one: ledger_totals.MovementTotal) -> int | None:
    return one.amount_cents if one.name == MoneyDay.RECEIPTS or one.amount_cents else None


def _format_integer(value: int) -> str:
    return f"{value:,}"


def format_usd(value: Decimal | int) -> str:
    """Write an exact number of dollars to the cent."""
    return f"{value:,.2f} USD"


def _usd(value: Decimal) -> str:
    return format_usd(value)


def _margin(value: Decimal) -> _Cell:
    """Mark a loss."""
    if value >= 0:
        return _usd(value)
    return format_html('<span class="text-red-700 dark:text-red-400">{}</span>', _usd(value))


def _cents(value: int | None) -> str:
    return "–" if value is None else amounts.format_amount(value)


def _dash_if_empty(value: str) -> str:
    return value or "–"


def _day(value: date) -> str:
    return day_label(value)


def _moment(value: Any) -> _Cell:
    return "not counted yet" if value is None else display_datetime(value)


def _environment(value: str) -> str:
    if not value:
        return "–"
    label = Environment(value).label
    return label if value == Environment.LIVE else f"{label} (no revenue)"


def _wallets_of(purpose: str) -> SafeString:
    return list_link(Wallet, str(Purpose(purpose).label), purpose__exact=purpose)


def _rows_of(name: str) -> SafeString:
    if name == MoneyDay.RECEIPTS:
        return list_link(Receipt, "Receipts")
    return list_link(Transfer, str(TransferKind(name).label), kind__exact=name)


def _jobs_of(model_id: str) -> SafeString:
    return list_link(Job, model_id, model_id=model_id)


_NAME_FORMATTERS: dict[str, Callable[[Any], _Cell]] = {"days": _day, "models": _jobs_of}
