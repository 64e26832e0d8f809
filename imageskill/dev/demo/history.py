"""A made-up history from first signup to today, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from billing.ledger import checks, daily_totals
from billing.models import Environment, Receipt
from imageskill.dev.demo import (
    bulk,
    caps,
    care,
    desk,
    mirror,
    months,
    people,
    pictures,
    reconciled,
    voices,
)
from imageskill.dev.demo.diary import Diary
from imageskill.dev.demo.dice import Dice
from imageskill.dev.demo.pen import Pen
from imageskill.dev.demo.purchases import Purchases
from imageskill.dev.demo.results import Results
from imageskill.dev.demo.reversals import Reversals
from imageskill.dev.demo.sheets import Sheets
from imageskill.dev.demo.stage import Stage
from imageskill.dev.demo.story import Story
from imageskill.dev.demo.stripe_side import StripeSide
from imageskill.dev.demo.work import Work
from imageskill.lib import clock
from jobs.models import Job
from jobs.running import daily_totals as work_tally

_DAYS = 75
_Say = Callable[[str], None]


class Refused(Exception):
    """This is no place for a made-up history; the text says why."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much history to make up."""

    agents: int = 200
    jobs: int = 5000
    tiles: int = 60
    reports: int = 140
    bulk: int = 0  # more jobs, for measuring


def make(*, seed: int, size: Size, say: _Say) -> None:
    """Make it all up and write it. Raises Refused where real money has been taken."""
    dice = Dice(seed)
    _check_allowed(seed)
    now = clock.now()
    begin = now - timedelta(days=_DAYS)
    say("pictures")
    tiles = pictures.paint(dice, size.tiles)
    spoiled = pictures.spoil(dice, tiles[0])
    with transaction.atomic():
        staff = people.staff(seed)
        months.reopen(staff=staff)
        sheets = Sheets()
        stage = Stage(dice, sheets, Diary(sheets), staff, now)
        say("people")
        players = people.players(
            dice, stage.diary, count=size.agents, begin=begin, end=now, seed=seed
        )
        pen = Pen(player.org for player in players)
        stripe = StripeSide(dice, sheets, now)
        purchases = Purchases(dice, pen, sheets, stripe, stage.diary, now)
        work = Work(dice, pen, sheets, Results(dice, sheets, tiles, spoiled, now))
        reversals = Reversals(dice, pen, sheets, stripe, stage.diary, staff, now)
        story = Story(dice, pen, sheets, work, purchases, reversals)
        story.tell(players, jobs=size.jobs, now=now, say=say)
        stripe.finish(begin)
        caps.fit(stage.diary, players, work.used)
        care.look_after(stage, players)
        latest = {job.agent.pk: job for job in sheets[Job] if job.model_id}
        mirror.hang(stage, voices.speak(stage, players, latest, count=size.reports))
        say("writing the ledger")
        pen.write()
        purchases.finish()
        sheets.write(say)
    if size.bulk:
        bulk.add(jobs=size.bulk, say=say)
    months.close(staff=staff, since=begin, now=now, say=say)
    say("reconciling")
    reconciled.reconcile(
        since=begin, now=now, finance=staff["finance"], support=staff["lead support"]
    )
    desk.sit_down(players, staff, say)
    count_days(now, say)


def _check_allowed(seed: int) -> None:
    if Receipt.objects.filter(environment=Environment.LIVE).exists():
        raise Refused("There are live receipts here: made-up history has no place beside them.")
    if User.objects.filter(email=people.address("operator", seed)).exists():
        raise Refused("This seed's history is here already; another --seed makes another one.")
    if months.are_others():
        raise Refused("Months are closed here: made-up history would change what they say.")


def count_days(now: datetime, say: _Say) -> None:
    """Count the figures by day."""
    for back in range(_DAYS + 1, -1, -1):
        which = clock.utc_day(now) - timedelta(days=back)
        work_tally.count_day(which)
        daily_totals.count_day(which)
        say(f"figures of {which}")
    daily_totals.count_wallets()


def check_books(say: _Say) -> int:
    """Check the books; gives how many problems there are."""
    say("checking the books")
    return checks.run_check(actor="demo_data").problem_count
