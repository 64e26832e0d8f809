"""What an agent may still spend and do: balances, the day's jobs, and the caps that bind it."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from accounts import grants
from accounts.models import Agent
from billing import ledger
from billing.limits import daily_use
from billing.purchases import purchase_hints
from imageskill.lib import clock

CREDIT_USD = Decimal("0.01")


def limits_out(agent: Agent, balances: ledger.Balances) -> dict[str, Any]:
    """Return credits and caps for one operation."""
    return {
        "remaining_credits": balances.preview,
        "payment_backed_remaining_credits": balances.paid,
        "held_credits": balances.held,
        "owed_credits": balances.owed,
        "credit_unit_usd": CREDIT_USD,
        "max_outputs_per_request": agent.cap_outputs_per_request,
        "max_credits_per_operation": grants.credits_per_operation(agent),
        "payment_hold": balances.owed > 0,
    }


def quota_out(agent: Agent, *, at: datetime) -> dict[str, Any]:
    """Return the whole quota, in two statements."""
    balances = ledger.balances(agent.organization_id)
    use = daily_use.usage(agent.pk, at)
    limit = daily_use.job_limit(agent)
    offer = purchase_hints.build_top_up(
        preview=balances.preview,
        paid=balances.paid,
        owed=balances.owed,
        # Only where buying helps: a claimed agent's jobs are not raised by paying.
        is_out_of_jobs=use.jobs >= limit and agent.claim_state == Agent.ClaimState.UNCLAIMED,
    )
    return {
        "limits": limits_out(agent, balances),
        "daily_jobs": {
            "limit": limit,
            "used": use.jobs,
            "remaining": max(0, limit - use.jobs),
            "resets_at": clock.iso(clock.next_utc_midnight(at)),
        },
        "models": {
            "max_credits_per_operation": grants.credits_per_operation(agent),
            "max_outputs_per_request": agent.cap_outputs_per_request,
        },
        "reset_windows": _windows(agent, use, at),
        "next_actions": {
            "inspect_payment_methods": offer["commands"]["inspect_methods"],
            "quote": offer["quote_command"],
            "estimate": "image-skill models list --json",
        },
        "top_up": offer,
    }


def _windows(agent: Agent, use: daily_use.AgentUsage, at: datetime) -> dict[str, Any]:
    today = clock.utc_day(at)
    next_week = daily_use.week_start(today) + timedelta(days=7)
    next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    caps = daily_use.credit_caps(agent)
    rows = {
        "day": ("credits_today", clock.next_utc_midnight(at)),
        "week": ("credits_this_week", datetime.combine(next_week, time.min, tzinfo=UTC)),
        "month": ("credits_this_month", datetime.combine(next_month, time.min, tzinfo=UTC)),
        "total": ("credits_ever", None),
    }
    return {
        window: {
            "cap_credits": caps.get(name),
            "used_credits": getattr(use, name),
            "resets_at": clock.iso_or_none(resets_at),
        }
        for window, (name, resets_at) in rows.items()
    }
