"""The context of the agent page: what the apps know of one agent, now or at a past moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from accounts import history
from accounts.admin.claims import FULL_ADDRESS_PERMISSION
from accounts.models import ActivityEvent, Agent, AuditLine, Claim, Token, User
from billing import ledger
from billing.ledger import history as past_credits
from billing.models import Lot, Receipt, Wallet
from feedback.models import Report
from imageskill.console import links
from imageskill.console.agent import section_rows
from imageskill.lib import clock
from imageskill.lib.admin import row_counts
from jobs.models import Asset, Job

_MAX_ROWS = 8
_MAX_EVENTS = 20
_NOTE = "agent.note"
_BALANCE_LABELS = {
    "preview": "Preview credits",
    "paid": "Paid credits",
    "held": "Credits on hold",
    "owed": "Balance due, credits",
}


@dataclass(frozen=True, slots=True)
class WalletBalance:
    """One wallet's balance; `wallet_id` leads to its entries."""

    label: str
    credits: int
    wallet_id: int | None


@dataclass(frozen=True, slots=True)
class AgentSection:
    """The rows of a section: the permission that shows them, and the filter of their list."""

    rows: QuerySet[Any]
    moment: str
    permission: str
    filters: dict[str, Any]
    most: int = _MAX_ROWS
    list_permission: str = ""  # where the list requires another permission

    def latest(self, at: datetime | None) -> list[Any]:
        """Return the newest rows, at the moment `at` if one is given."""
        rows = self.rows.filter(**{f"{self.moment}__lte": at}) if at else self.rows
        return list(rows.order_by("-pk")[: self.most])

    def url(self) -> str:
        """Return the URL of the list of all rows."""
        return links.list_url(self.rows.model, self.filters)


def agent_context(agent: Agent, user: User, *, as_of: datetime | None) -> dict[str, Any]:
    """Return the agent page's context, at the moment `as_of` if one is given."""
    sections = {
        name: one for name, one in _sections(agent).items() if user.has_perm(one.permission)
    }
    latest = {name: one.latest(as_of) for name, one in sections.items()}
    receipts = section_rows.receipt_urls(latest.get("receipts", []))
    shaped: dict[str, Callable[[list[Any]], Any]] = {
        "jobs": lambda rows: section_rows.jobs(rows, as_of),
        "lots": lambda rows: section_rows.lots(rows, receipts, as_of),
        "reports": lambda rows: section_rows.reports(rows, as_of),
        "tokens": lambda rows: section_rows.tokens(rows, as_of),
        "claims": lambda rows: section_rows.claims(
            rows, as_of, with_address=user.has_perm(FULL_ADDRESS_PERMISSION), now=clock.now()
        ),
    }
    facts = {name: shaped.get(name, list)(rows) for name, rows in latest.items()}
    return {
        **facts,
        "as_of": as_of,
        "past_status": _status_fields(agent, as_of) if as_of else None,
        "balances": _balances(agent.organization_id, as_of)
        if user.has_perm("accounts.see_balances")
        else None,
        "notes": list(_notes(agent, as_of)[:_MAX_EVENTS]),
        "all": _list_links(sections, user, as_of),
    }


def _sections(agent: Agent) -> dict[str, AgentSection]:
    its = {"agent__id__exact": agent.pk}
    organizations = {"organization__id__exact": agent.organization_id}
    images = Prefetch("assets", Asset.objects.order_by("index"))
    return {
        "lots": AgentSection(
            Lot.objects.filter(organization_id=agent.organization_id),
            "created_at",
            "accounts.see_balances",
            organizations,
            list_permission="accounts.see_ledger",
        ),
        "jobs": AgentSection(
            Job.objects.filter(agent=agent).prefetch_related(images),
            "created_at",
            "accounts.see_jobs",
            its,
        ),
        "receipts": AgentSection(
            Receipt.objects.filter(organization_id=agent.organization_id),
            "issued_at",
            "accounts.see_payments",
            organizations,
        ),
        "claims": AgentSection(
            Claim.objects.filter(agent=agent).select_related("recipient", "decided_by"),
            "created_at",
            "accounts.see_agents",
            its,
        ),
        "tokens": AgentSection(
            Token.objects.filter(agent=agent), "created_at", "accounts.see_agents", its
        ),
        "reports": AgentSection(
            Report.objects.filter(agent=agent), "created_at", "accounts.see_feedback", its
        ),
        "events": AgentSection(
            ActivityEvent.objects.filter(agent=agent),
            "occurred_at",
            "accounts.see_agents",
            its,
            _MAX_EVENTS,
        ),
        "audit": AgentSection(
            AuditLine.objects.filter(subject=agent.public_id),
            "at",
            "accounts.see_audit",
            {"subject": agent.public_id},
            _MAX_EVENTS,
        ),
    }


def _list_links(
    sections: dict[str, AgentSection], user: User, as_of: datetime | None
) -> dict[str, dict[str, str]]:
    """Return the list of each section that the user may open, with its present number of rows."""
    listed = {
        name: one
        for name, one in sections.items()
        if user.has_perm(one.list_permission or one.permission)
    }
    counts = (
        {} if as_of else row_counts.count_lists({name: one.rows for name, one in listed.items()})
    )
    return {name: {"url": one.url(), "count": counts.get(name, "")} for name, one in listed.items()}


def _notes(agent: Agent, as_of: datetime | None) -> QuerySet[AuditLine]:
    notes = AuditLine.objects.filter(subject=agent.public_id, action=_NOTE).order_by("-pk")
    return notes.filter(at__lte=as_of) if as_of else notes


def _status_fields(agent: Agent, at: datetime) -> list[tuple[str, history.HistoricalValue]]:
    """Return the agent's status at the moment, label by label."""
    was_paid = Receipt.objects.filter(agent=agent, issued_at__lte=at).exists()
    then = history.agent_at(agent, at=at, was_paid=was_paid)
    seen = agent.last_seen_at
    return [
        ("claim state", _display_value(then.claim_state, Agent.ClaimState)),
        ("claim request", _display_value(then.claim_request_state, Agent.ClaimRequestState)),
        ("sponsor", then.sponsor),
        ("contact email", then.contact),
        ("suspended", then.suspended),
        ("last seen", history.HistoricalValue(seen, is_recorded=seen is None or seen <= at)),
        *((_label(name), value) for name, value in then.limits.items()),
    ]


def _display_value(recalled: history.HistoricalValue, choices: Any) -> history.HistoricalValue:
    return recalled._replace(value=choices(recalled.value).label)


def _label(name: str) -> str:
    return str(Agent._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _balances(organization_id: int, as_of: datetime | None) -> list[WalletBalance]:
    wallets = dict(
        Wallet.objects.filter(organization_id=organization_id).values_list("purpose", "pk")
    )
    balances = (
        past_credits.balances_at(organization_id, at=as_of)
        if as_of
        else ledger.balances(organization_id)
    )
    return [
        WalletBalance(_BALANCE_LABELS[purpose], credits, wallets.get(purpose))
        for purpose, credits in balances._asdict().items()
    ]
