"""Daily use of an agent: jobs limited by its claim state, credits by its limits.

One row for each agent and day, changed in the transaction of the hold. Its row lock serializes the
creates of an agent, so that limits hold under any concurrency. Days, weeks (from Monday) and
months are UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, Sum

from accounts.grants import CapabilityDenied, access_recovery
from accounts.models import Agent
from billing.limits import notifications
from billing.limits.notifications import WindowUsage
from billing.models import DailyUse
from imageskill.lib import clock
from imageskill.lib.errors import ApiError

_State = Agent.ClaimState


class DailyJobLimit(ApiError):
    """The day's jobs are used up."""

    code = "DAILY_JOB_LIMIT"
    status = 429
    exit_code = 5
    retryable = True
    message = "The day's jobs are used up."


@dataclass(frozen=True, slots=True)
class AgentUsage:
    """Jobs of a day, and credits by the windows that limits have."""

    jobs: int
    credits_today: int
    credits_this_week: int
    credits_this_month: int
    credits_ever: int


def job_limit(agent: Agent) -> int:
    """Return how many jobs the agent may start in a day."""
    if agent.claim_state == _State.CLAIMED:
        return settings.DAILY_JOBS_CLAIMED
    if agent.claim_state == _State.PAYMENT_BACKED_UNCLAIMED:
        return settings.DAILY_JOBS_PAYMENT_BACKED
    return settings.DAILY_JOBS_PREVIEW


def reserve(*, agent: Agent, credits: int, at: datetime) -> None:
    """Count a job and the credits it holds against the day, in the caller's transaction.

    Called before the ledger, like `release`: this row is locked first, the wallets after it.

    Raises DailyJobLimit, or CapabilityDenied where a limit on credits would be exceeded.
    """
    limit = job_limit(agent)
    with connection.cursor() as cursor:
        cursor.execute(
            _RESERVE_SQL,
            {"agent": agent.pk, "day": clock.utc_day(at), "credits": credits, "limit": limit},
        )
        if cursor.fetchone() is None:
            raise _limit_reached(limit, at)
    caps = credit_caps(agent)
    if caps:
        _check_caps(agent, caps, credits, at)


def check(*, agent: Agent, credits: int, at: datetime) -> None:
    """Raise what `reserve` would raise for these credits now; writes nothing."""
    use = usage(agent.pk, at)
    if use.jobs >= (limit := job_limit(agent)):
        raise _limit_reached(limit, at)
    for window, cap in credit_caps(agent).items():
        if getattr(use, window) + credits > cap:
            raise _cap_exceeded(agent, window, cap, at)


def notify_refusal(*, agent: Agent, credits: int, at: datetime) -> None:
    """Notify the sponsor of the limits that the credits refused by `reserve` would exceed.

    Called once the refused transaction is rolled back, or the notification would be too. Nobody
    is notified if the limits have room by now.
    """
    caps = credit_caps(agent)
    for cap_use in _window_usages(caps, usage(agent.pk, at), at):
        notifications.notify_refused(agent, cap_use, credits=credits)


def release(*, agent_id: int, taken_at: datetime, credits: int, jobs: int = 1) -> None:
    """Return credits that a job did not use, and its slot if the failure was not the caller's.

    `taken_at` is the moment that was passed to `reserve`, so that the right day is credited.
    """
    DailyUse.objects.filter(agent_id=agent_id, day=clock.utc_day(taken_at)).update(
        jobs=F("jobs") - jobs, credits=F("credits") - credits
    )


def usage(agent_id: int, at: datetime) -> AgentUsage:
    """Return what an agent used, in one statement."""
    today = clock.utc_day(at)
    rows = DailyUse.objects.filter(agent_id=agent_id)
    sums = rows.aggregate(
        jobs=Sum("jobs", filter=Q(day=today), default=0),
        **{
            name: Sum("credits", filter=Q(day__gte=start), default=0)
            for name, start in _window_starts(today).items()
        },
        credits_ever=Sum("credits", default=0),
    )
    return AgentUsage(**sums)


def credit_caps(agent: Agent) -> dict[str, int]:
    """Return the agent's limits on credits, by the field of `AgentUsage` that each limits."""
    per_day = agent.cap_credits_per_day
    if agent.claim_state == _State.PAYMENT_BACKED_UNCLAIMED:
        bound = settings.PAYMENT_BACKED_CREDITS_PER_DAY
        per_day = bound if per_day is None else min(per_day, bound)
    caps = {
        "credits_today": per_day,
        "credits_this_week": agent.cap_credits_per_week,
        "credits_this_month": agent.cap_credits_per_month,
        "credits_ever": agent.cap_credits_total,
    }
    return {window: cap for window, cap in caps.items() if cap is not None}


def week_start(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


_RESERVE_SQL = """
INSERT INTO billing_dailyuse AS use (agent_id, day, jobs, credits)
SELECT %(agent)s, %(day)s, 1, %(credits)s WHERE %(limit)s > 0
ON CONFLICT (agent_id, day) DO UPDATE
   SET jobs = use.jobs + 1, credits = use.credits + excluded.credits
 WHERE use.jobs < %(limit)s
RETURNING jobs
"""


def _window_starts(today: date) -> dict[str, date]:
    return {
        "credits_today": today,
        "credits_this_week": week_start(today),
        "credits_this_month": today.replace(day=1),
    }


# Part of the stored cause of each notification: another word would notify about a limit again.
_WINDOW_WORDS = {
    "credits_today": "a day",
    "credits_this_week": "a week",
    "credits_this_month": "a month",
    "credits_ever": "in all",
}


def _check_caps(agent: Agent, caps: dict[str, int], credits: int, at: datetime) -> None:
    use = usage(agent.pk, at)
    for window, cap in caps.items():
        if getattr(use, window) > cap:
            raise _cap_exceeded(agent, window, cap, at)
    for cap_use in _window_usages(caps, use, at):
        notifications.notify_threshold(agent, cap_use, added=credits)


def _cap_exceeded(agent: Agent, window: str, cap: int, at: datetime) -> CapabilityDenied:
    resets_at = window_end(window, at)
    when = f" It resets at {clock.iso(resets_at)}." if resets_at else ""
    return CapabilityDenied(
        f"This would exceed the agent's limit of {cap:,} credits {_WINDOW_WORDS[window]}.{when}",
        recovery=access_recovery(agent),
    )


def window_end(window: str, at: datetime) -> datetime | None:
    """Return when a window of `AgentUsage` begins anew; None for the one that never does."""
    today = clock.utc_day(at)
    next_days = {
        "credits_today": today + timedelta(days=1),
        "credits_this_week": week_start(today) + timedelta(days=7),
        "credits_this_month": (today.replace(day=1) + timedelta(days=32)).replace(day=1),
    }
    day = next_days.get(window)
    return None if day is None else datetime.combine(day, time.min, tzinfo=UTC)


def _window_usages(caps: dict[str, int], use: AgentUsage, at: datetime) -> Iterator[WindowUsage]:
    starts = _window_starts(clock.utc_day(at))
    for window, cap in caps.items():
        yield WindowUsage(
            window=_WINDOW_WORDS[window],
            since=starts.get(window),
            used=getattr(use, window),
            cap=cap,
        )


def _limit_reached(limit: int, at: datetime) -> DailyJobLimit:
    resets_at = clock.next_utc_midnight(at)
    return DailyJobLimit(
        f"This agent may start {limit} jobs a day; the limit resets at {clock.iso(resets_at)}. "
        "Paid credits or a sponsor raise it.",
        recovery={
            "retry_after_seconds": max(1, int((resets_at - at).total_seconds())),
            "suggested_command": "image-skill usage quota --json",
        },
    )
