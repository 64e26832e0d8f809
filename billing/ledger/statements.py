"""What a sponsor sees of the ledger: balances, use of limits, and the entries of a balance."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum

from accounts.models import Agent
from billing.chart import ORGANIZATION_PURPOSES, Purpose
from billing.ledger import Balances
from billing.limits import daily_use
from billing.models import Clawback, DailyUse, LedgerEntry, Transfer, Wallet
from imageskill.lib import clock

NO_CREDITS = Balances(preview=0, paid=0, held=0, owed=0)

_WINDOWS = {
    "credits_today": "Today",
    "credits_this_week": "This week",
    "credits_this_month": "This month",
    "credits_ever": "Total",
}


@dataclass(frozen=True, slots=True)
class CapUsage:
    """One limit on credits, and how much of it is used."""

    label: str
    since: date | None  # the first day that counts; None: all of them
    used: int
    cap: int


def balances_by_organization(organization_ids: Iterable[int]) -> dict[int, Balances]:
    """Return the balances of several organizations, in one statement."""
    by_organization: dict[int, dict[str, int]] = {}
    rows = Wallet.objects.filter(organization_id__in=list(organization_ids))
    for organization_id, purpose, balance in rows.values_list(
        "organization_id", "purpose", "balance"
    ):
        by_organization.setdefault(organization_id or 0, {})[purpose] = balance
    return {
        organization_id: Balances(
            *(by_purpose.get(purpose, 0) for purpose in ORGANIZATION_PURPOSES)
        )
        for organization_id, by_purpose in by_organization.items()
    }


def cap_usage_by_agent(agents: Iterable[Agent], *, at: datetime) -> dict[int, list[CapUsage]]:
    """Return the use of each agent's limits, in one statement."""
    agents = list(agents)
    used = _usage_by_agent(agents, at)
    starts = _window_starts(clock.utc_day(at))
    return {
        agent.pk: [
            CapUsage(
                label=_WINDOWS[window],
                since=starts.get(window),
                used=used.get(agent.pk, {}).get(window, 0),
                cap=cap,
            )
            for window, cap in daily_use.credit_caps(agent).items()
        ]
        for agent in agents
    }


def entries(organization_id: int, purpose: Purpose) -> QuerySet[LedgerEntry]:
    """Return the entries of one balance, newest first."""
    rows: QuerySet[LedgerEntry] = (
        LedgerEntry.objects.filter(wallet__organization_id=organization_id, wallet__purpose=purpose)
        .select_related("transfer")
        .order_by("-id")
    )
    return rows


def transfers_for(organization_id: int, reference: str) -> list[Transfer]:
    """Return the transfers of one job, receipt or reversal, oldest first."""
    return list(
        Transfer.objects.filter(organization_id=organization_id, reference=reference).order_by(
            "id"
        )[:50]
    )


def _usage_by_agent(agents: list[Agent], at: datetime) -> dict[int, dict[str, Any]]:
    rows = DailyUse.objects.filter(agent__in=agents).values("agent_id")
    sums = rows.annotate(
        **{
            window: Sum("credits", filter=Q(day__gte=start), default=0)
            for window, start in _window_starts(clock.utc_day(at)).items()
        },
        credits_ever=Sum("credits", default=0),
    )
    return {row["agent_id"]: dict(row) for row in sums}


def open_debts(organization_id: int) -> list[Clawback]:
    """Return the clawbacks with a debt, oldest first."""
    return list(
        Clawback.objects.filter(organization_id=organization_id, owed__gt=0).order_by("id")[:50]
    )


def _window_starts(today: date) -> dict[str, date]:
    return {
        "credits_today": today,
        "credits_this_week": daily_use.week_start(today),
        "credits_this_month": today.replace(day=1),
    }
