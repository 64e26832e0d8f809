"""A history from first sign-up to today, told by the product's own functions under its clock."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts import telemetry
from accounts.claims import requests
from accounts.models import User
from billing import approvals
from billing.ledger import checks, daily_totals
from billing.models import Environment, Receipt
from imageskill.dev.demo import (
    bulk,
    discrepancies,
    github_queue,
    months,
    people,
    purchases,
    reports,
    reversals,
    staff_today,
    support,
    work,
)
from imageskill.dev.demo.runtime import vendors
from imageskill.dev.demo.runtime.context import Context
from imageskill.dev.demo.runtime.provider import DemoProvider
from imageskill.dev.demo.runtime.random import SeededRandom
from imageskill.dev.demo.runtime.settings import changed_settings
from imageskill.dev.demo.runtime.timeline import Timeline, one_transaction
from imageskill.lib import clock
from jobs.providers import calls
from jobs.running import daily_totals as work_totals

_DAYS = 75
_Say = Callable[[str], None]
_SETTINGS = {
    "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
    "FAL_KEY": "demo",
    "OPENAI_API_KEY": "demo",
    "XAI_API_KEY": "demo",
    "LOCAL_PROVIDER": True,
    "PROMPT_POLICY": "local",
    "FAKE_PAYMENTS": True,
    "FAKE_CREDITS_PER_ORGANIZATION": 100_000,
    "BREAKER_FAILURES": 1_000_000,  # running workers share the breakers
    "TELEMETRY_WRITER": False,  # rows are written with the rest
}


class Refused(Exception):
    """This is no place for a history; the text says why."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to tell."""

    agents: int = 120
    jobs: int = 700
    reports: int = 80
    bulk: int = 0  # more jobs, for measuring


def make(*, seed: int, size: Size, say: _Say) -> None:
    """Make the history. Raises Refused where money is real or somebody has closed a month."""
    _check_allowed(seed)
    now = clock.now()
    begin = now - timedelta(days=_DAYS)
    with one_transaction():
        staff = _happen(seed=seed, size=size, begin=begin, end=now, say=say)
    if size.bulk:
        bulk.add(jobs=size.bulk, say=say)
    months.close(staff=staff, since=begin, now=now, say=say)
    say("saved filters")
    staff_today.keep(staff)
    count_days(now, say)


def _check_allowed(seed: int) -> None:
    if Receipt.objects.filter(environment=Environment.LIVE).exists():
        raise Refused("There are live receipts here: a made-up history has no place beside them.")
    if vendors.are_real():
        raise Refused("Settings name the real Stripe or GitHub: a history needs their stand-ins.")
    if User.objects.filter(email=people.address("operator", seed)).exists():
        raise Refused("This seed's history is here already; another --seed makes another one.")
    if months.are_others():
        raise Refused("Months are closed here: a history would change what they say.")


def _happen(*, seed: int, size: Size, begin: datetime, end: datetime, say: _Say) -> dict[str, User]:
    timeline = Timeline(begin)
    provider = DemoProvider(timeline)
    with _quiet(), changed_settings(**_SETTINGS), vendors.standing_in(timeline, seed=seed) as both:
        context = Context(
            random=SeededRandom(seed),
            timeline=timeline,
            vendors=both,
            provider=provider,
            begin=begin,
            end=end,
            seed=seed,
        )
        with timeline.set_clock():
            people.hire(context)
        months.reopen(staff=context.staff)
        _plan(context, size)
        with calls.answered_by(provider):
            timeline.run(until=end, say=say)
        telemetry.flush()
    return context.staff


def _plan(context: Context, size: Size) -> None:
    drafts = people.plan(context, size.agents)
    _plan_work(context, drafts, jobs=size.jobs)
    nightly = clock.next_utc_midnight(context.begin) + timedelta(hours=2)
    while nightly < context.end:
        context.timeline.plan(nightly, requests.expire_overdue)
        context.timeline.plan(nightly, approvals.expire_overdue)
        nightly += timedelta(days=1)
    discrepancies.plan(context)
    github_queue.plan(context)
    purchases.plan_odd(context)
    support.plan(context)
    reports.plan(context, size.reports)
    staff_today.plan(context)
    work.plan_gallery(context)
    work.plan_rare(context)
    context.timeline.plan(context.end - timedelta(days=26), reversals.plan, context)


def _plan_work(context: Context, drafts: list[people.Draft], *, jobs: int) -> None:
    """Share the jobs out among the agents: few for those who don't pay, many for some who do."""
    random = context.random
    counts = {draft: random.randrange(4) for draft in drafts}
    payers = [draft for draft in drafts if draft.pays]
    weights = [random.paretovariate(1.1) for _ in payers]
    for draft in random.choices(payers, weights, k=max(jobs - sum(counts.values()), 0)):
        counts[draft] += 1
    for draft in drafts:
        context.timeline.plan(draft.at, _begin, context, draft, jobs=counts[draft])


def _begin(context: Context, draft: people.Draft, *, jobs: int) -> None:
    customer = people.sign_up(context, draft)
    work.plan(context, customer, jobs=jobs, uploads=int(context.random.random() < 0.2))
    if draft.pays:
        purchases.plan(context, customer)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the product logs of the past out of today's logs."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def count_days(now: datetime, say: _Say) -> None:
    """Count the figures by day."""
    for back in range(_DAYS + 1, -1, -1):
        day = clock.utc_day(now) - timedelta(days=back)
        work_totals.count_day(day)
        daily_totals.count_day(day)
        say(f"figures of {day}")
    daily_totals.count_wallets()


def check_books(say: _Say) -> int:
    """Check the ledger; return how many problems there are."""
    say("checking the ledger")
    return checks.run_check(actor="demo_data").problem_count
