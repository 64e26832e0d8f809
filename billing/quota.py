"""What an agent may still spend and do: balances, the day's jobs, and the caps that bind it."""

from datetime import datetime
from typing import Literal

from accounts import grants, storage_limits
from accounts.models import Agent
from billing import ledger, pricing
from billing.limits import daily_use
from billing.purchases import purchase_hints
from billing.purchases.purchase_hints import TopUpOut
from imageskill.lib import clock
from imageskill.lib.schemas import Data, ExactNumber


class LimitsOut(Data):
    """Credits, and caps for one operation."""

    remaining_credits: int
    payment_backed_remaining_credits: int
    held_credits: int
    owed_credits: int
    credit_unit_usd: ExactNumber
    max_outputs_per_request: int
    max_credits_per_operation: int
    payment_hold: bool


class DailyJobsOut(Data):
    """The day's jobs."""

    limit: int
    used: int
    remaining: int
    resets_at: str


class ModelLimitsOut(Data):
    """Limits that hold for every model."""

    max_credits_per_operation: int
    max_outputs_per_request: int


class WindowOut(Data):
    """Credits spent in a window, beside its cap; null: no cap."""

    cap_credits: int | None
    used_credits: int
    resets_at: str | None


class WindowsOut(Data):
    """Credits spent by the windows that caps have."""

    day: WindowOut
    week: WindowOut
    month: WindowOut
    total: WindowOut


class StorageUseOut(Data):
    """Bytes of images that the organization stores, and how many it may store."""

    used_bytes: int
    limit_bytes: int


class QuotaNextOut(Data):
    """What to do next: commands that spend nothing."""

    inspect_payment_methods: str
    quote: str
    estimate: str


class Quota(Data):
    """What an agent may still spend and do."""

    authenticated: Literal[True]
    claim_state: str
    token_status: Literal["active"]
    limits: LimitsOut
    daily_jobs: DailyJobsOut
    models: ModelLimitsOut
    reset_windows: WindowsOut
    storage: StorageUseOut
    next_actions: QuotaNextOut
    top_up: TopUpOut


def limits_out(agent: Agent, balances: ledger.Balances) -> LimitsOut:
    """Return credits and caps for one operation."""
    return LimitsOut(
        remaining_credits=balances.preview,
        payment_backed_remaining_credits=balances.paid,
        held_credits=balances.held,
        owed_credits=balances.owed,
        credit_unit_usd=pricing.CREDIT_USD,
        max_outputs_per_request=agent.cap_outputs_per_request,
        max_credits_per_operation=grants.credits_per_operation(agent),
        payment_hold=balances.owed > 0,
    )


def quota_out(agent: Agent, *, at: datetime) -> Quota:
    """Return the whole quota, in two statements."""
    balances = ledger.balances(agent.organization_id)
    use = daily_use.usage(agent.pk, at)
    job_limit = daily_use.job_limit(agent)
    top_up = purchase_hints.build_top_up(
        preview=balances.preview,
        paid=balances.paid,
        owed=balances.owed,
        # Only where buying helps: a claimed agent's jobs are not raised by paying.
        is_out_of_jobs=use.jobs >= job_limit and agent.claim_state == Agent.ClaimState.UNCLAIMED,
    )
    return Quota(
        authenticated=True,
        claim_state=agent.claim_state,
        token_status="active",  # noqa: S106 (a state, not a secret)
        limits=limits_out(agent, balances),
        daily_jobs=DailyJobsOut(
            limit=job_limit,
            used=use.jobs,
            remaining=max(0, job_limit - use.jobs),
            resets_at=clock.iso(clock.next_utc_midnight(at)),
        ),
        models=ModelLimitsOut(
            max_credits_per_operation=grants.credits_per_operation(agent),
            max_outputs_per_request=agent.cap_outputs_per_request,
        ),
        reset_windows=_windows_out(agent, use, at),
        storage=StorageUseOut(
            used_bytes=agent.organization.stored_bytes,
            limit_bytes=storage_limits.limit_bytes(agent),
        ),
        next_actions=QuotaNextOut(
            inspect_payment_methods=top_up.commands["inspect_methods"],
            quote=top_up.quote_command,
            estimate="image-skill models list --json",
        ),
        top_up=top_up,
    )


def _windows_out(agent: Agent, use: daily_use.AgentUsage, at: datetime) -> WindowsOut:
    caps = daily_use.credit_caps(agent)

    def window(name: str) -> WindowOut:
        return WindowOut(
            cap_credits=caps.get(name),
            used_credits=getattr(use, name),
            resets_at=clock.iso_or_none(daily_use.window_end(name, at)),
        )

    return WindowsOut(
        day=window("credits_today"),
        week=window("credits_this_week"),
        month=window("credits_this_month"),
        total=window("credits_ever"),
    )
