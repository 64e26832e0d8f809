"""What all apps together know of one agent, now or as of a past moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from accounts.models import ActivityEvent, Agent, AuditLine, Claim, Token
from billing import ledger
from billing.models import LedgerEntry, Lot, Receipt, Wallet
from feedback.models import Report
from jobs.models import Asset, Job

_RECENT = 8
_TRAIL = 20


@dataclass(frozen=True, slots=True)
class Balance:
    """One wallet's balance and the list of entries that make it."""

    purpose: str
    credits: int
    wallet_id: int | None


def gather(agent: Agent, *, as_of: datetime | None) -> dict[str, Any]:
    """Give the agent page's context; with `as_of`, only what there was by then."""
    organization_id = agent.organization_id
    until = {"created_at__lte": as_of} if as_of else {}
    return {
        "agent": agent,
        "as_of": as_of,
        "claim_state_then": _claim_state(agent, as_of),
        "balances": _balances(organization_id, as_of),
        "lots": _recent(Lot.objects.filter(organization_id=organization_id, **until)),
        "claims": _recent(Claim.objects.filter(agent=agent, **until).select_related("recipient")),
        "tokens": _recent(Token.objects.filter(agent=agent, **until)),
        "jobs": _recent(
            Job.objects.filter(agent=agent, **until).prefetch_related(
                Prefetch("assets", Asset.objects.order_by("index"))
            )
        ),
        "receipts": _recent(
            Receipt.objects.filter(
                organization_id=organization_id, **({"issued_at__lte": as_of} if as_of else {})
            )
        ),
        "reports": _recent(Report.objects.filter(agent=agent, **until)),
        "events": _recent(
            ActivityEvent.objects.filter(
                agent=agent, **({"occurred_at__lte": as_of} if as_of else {})
            ),
            most=_TRAIL,
        ),
        "audit": _recent(
            AuditLine.objects.filter(
                subject=agent.public_id, **({"at__lte": as_of} if as_of else {})
            ),
            most=_TRAIL,
        ),
    }


def _recent(rows: Any, most: int = _RECENT) -> list[Any]:
    return list(rows.order_by("-pk")[:most])


def _balances(organization_id: int, as_of: datetime | None) -> list[Balance]:
    wallets = {
        wallet.purpose: wallet for wallet in Wallet.objects.filter(organization_id=organization_id)
    }
    now = ledger.balances(organization_id)
    return [
        Balance(
            purpose,
            getattr(now, purpose) if as_of is None else _balance_then(wallets.get(purpose), as_of),
            wallets[purpose].pk if purpose in wallets else None,
        )
        for purpose in ("preview", "paid", "held", "owed")
    ]


def _balance_then(wallet: Wallet | None, as_of: datetime) -> int:
    """Read the balance that the last entry by then left behind."""
    if wallet is None:
        return 0
    last = (
        LedgerEntry.objects.filter(wallet=wallet, transfer__created_at__lte=as_of)
        .order_by("-pk")
        .first()
    )
    return last.balance_after if last else 0


def _claim_state(agent: Agent, as_of: datetime | None) -> str:
    """Read the claim state from the audit: the first later change tells what it was before."""
    if as_of is None:
        return agent.claim_state
    later = (
        AuditLine.objects.filter(
            subject=agent.public_id, at__gt=as_of, before__has_key="claim_state"
        )
        .order_by("pk")
        .first()
    )
    return later.before["claim_state"] if later and later.before else agent.claim_state
