"""A made-up history from first signup to today, in one transaction."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts.models import User
from billing import books, corrections, tally
from billing.chart import Purpose
from billing.models import (
    AttemptStatus,
    CreditCorrection,
    Environment,
    Receipt,
    RefundRequest,
)
from imageskill.console.demo import people, pictures, voices
from imageskill.console.demo.dice import Dice
from imageskill.console.demo.pen import Pen
from imageskill.console.demo.people import Player
from imageskill.console.demo.sales import Sales
from imageskill.console.demo.work import Work
from imageskill.lib import clock
from jobs import tally as work_tally

_DAYS = 75
_Say = Callable[[str], None]
_Asked = RefundRequest.State
_ASKED = (_Asked.REQUESTED, _Asked.REQUESTED, _Asked.REQUESTED, _Asked.TURNED_DOWN, _Asked.EXPIRED)
_UNFINISHED = (
    AttemptStatus.OPEN,
    AttemptStatus.OPEN,
    AttemptStatus.PROCESSING,
    AttemptStatus.OVERPAID,
    AttemptStatus.NEEDS_STAFF,
)
_Correction = CreditCorrection.Kind
# Refunds of what is unused and of what was spent; disputes by how they end.
_REVERSALS = {"refund": 9, "spent": 4, "won": 4, "lost": 4, "open": 6, "inquiry": 3}


class Refused(Exception):
    """This is no place for a made-up history; the text says why."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much history to make up."""

    agents: int = 200
    jobs: int = 5000
    tiles: int = 60
    reports: int = 140


def make(*, seed: int, size: Size, say: _Say) -> None:
    """Make it all up and write it. Raises Refused where real money has been taken."""
    dice = Dice(seed)
    _check_allowed(seed)
    now = clock.now()
    say("pictures")
    tiles = pictures.paint(dice, size.tiles)
    spoiled = pictures.spoil(dice, tiles[0])
    with transaction.atomic():
        say("people")
        staff = people.staff(seed)
        begin = now - timedelta(days=_DAYS)
        players = people.players(dice, count=size.agents, begin=begin, end=now, seed=seed)
        pen = Pen(player.org for player in players)
        story = _Story(dice, pen, Work(dice, pen, tiles, spoiled), Sales(dice, pen, staff, now))
        story.tell(players, jobs=size.jobs, now=now, say=say)
        say("writing the ledger")
        pen.write()
        say("writing jobs and assets")
        story.work.write()
        say("writing payments")
        story.sales.write()
        voices.speak(dice, players, count=size.reports, now=now)
    say("what waits for a second person")
    _ask_for_corrections(players, staff)
    count_days(now, say)


def _check_allowed(seed: int) -> None:
    if Receipt.objects.filter(environment=Environment.LIVE).exists():
        raise Refused("There are live receipts here: made-up history has no place beside them.")
    if User.objects.filter(email=people.address("operator", seed)).exists():
        raise Refused("This seed's history is here already; another --seed makes another one.")


def _ask_for_corrections(players: list[Player], staff: dict[str, User]) -> None:
    """Ask for corrections by the verbs that staff use; some wait for a second person."""
    alive = [one for one in players if one.pays and not one.is_closed]
    for player, kind, credits, reason in (
        (alive[0], _Correction.GOODWILL, 50, "three undecodable pictures in a row"),
        (alive[1], _Correction.GOODWILL, 1200, "an afternoon of provider failures"),
        (alive[2], _Correction.ADJUST_PREVIEW, 25, "starter credits were cut short"),
        (alive[3], _Correction.ADJUST_PAID, 40, "a charge that the provider never ran"),
    ):
        corrections.request(
            organization_id=player.org,
            kind=kind,
            credits=credits,
            reason=reason,
            user=staff["support" if kind == _Correction.GOODWILL else "finance"],
        )


def count_days(now: datetime, say: _Say) -> None:
    """Count the figures by day."""
    for back in range(_DAYS + 1, -1, -1):
        which = clock.utc_day(now) - timedelta(days=back)
        work_tally.day(which)
        tally.day(which)
        say(f"figures of {which}")


def check_books(say: _Say) -> int:
    """Check the books; gives how many problems there are."""
    say("checking the books")
    return books.check(actor="demo_data").problem_count


@dataclass
class _Story:
    """What happens, in the order of time."""

    dice: Dice
    pen: Pen
    work: Work
    sales: Sales
    touched: set[str] = field(default_factory=set)  # receipts that were reversed or asked about

    def tell(self, players: list[Player], *, jobs: int, now: datetime, say: _Say) -> None:
        """Tell every event; a job that its agent can't pay for leads to a purchase, or is none."""
        events = sorted(self._events(players, jobs, now), key=lambda event: event[0])
        for number, (at, what, player) in enumerate(events, 1):
            if what == "signup":
                self._sign_up(player, at)
            elif what == "job":
                self._job(player, at)
            elif what == "upload":
                self.work.upload(player, at)
            elif not player.is_closed:
                self._reverse(player, at, what)
            if number % 250 == 0:
                say(f"{number:,} of {len(events):,} events")
        self._today(players, now)

    def _events(
        self, players: list[Player], jobs: int, now: datetime
    ) -> Iterator[tuple[datetime, str, Player]]:
        payers = [player for player in players if player.pays]
        for player in players:
            yield player.agent.created_at, "signup", player
        for player in players:
            if not player.pays:
                for _ in range(self.dice.randrange(5)):
                    yield self._moment(player), "job", player
                    jobs -= 1
        weights = [self.dice.paretovariate(1.1) for _ in payers]
        for player in self.dice.choices(payers, weights, k=max(jobs, 0)):
            yield self._moment(player), "job", player
        for player in self.dice.choices(payers, k=len(players) // 2):
            yield self._moment(player), "upload", player
        yield from self._reversals(payers, now)

    def _reversals(
        self, payers: list[Player], now: datetime
    ) -> Iterator[tuple[datetime, str, Player]]:
        for what, count in _REVERSALS.items():
            for player in self.dice.sample(payers, min(count, len(payers))):
                begin = now - timedelta(days=6 if what in {"open", "inquiry"} else 25)
                yield self.dice.between(begin, now - timedelta(hours=2)), what, player

    def _moment(self, player: Player) -> datetime:
        begin = player.agent.created_at + timedelta(minutes=2)
        return self.dice.between(begin, max(begin, player.until), late=1.3)

    def _sign_up(self, player: Player, at: datetime) -> None:
        agent_id = player.agent.public_id
        credits = settings.PREVIEW_CREDITS
        self.pen.grant_preview(player.org, credits, agent_id=agent_id, at=at)

    def _job(self, player: Player, at: datetime, *, open_as: str = "") -> None:
        if player.is_closed:
            return
        model = "local.sketch" if open_as == "queued" else self.work.choose(player)
        price = self.work.price(model)
        if self.pen.purses[player.org].spendable < price:
            if not player.pays:
                return
            self.sales.buy(player, at, least=price)
        self.work.run(player, model, at, open_as=open_as)

    def _reverse(self, player: Player, at: datetime, what: str) -> None:
        """Refund or dispute the latest purchase that nothing has happened to."""
        receipt = self._untouched(player)
        if receipt is None:
            return
        self.touched.add(receipt.public_id)
        if what in {"refund", "spent"}:
            left = 0 if what == "spent" else self.pen.left_of(player.org, receipt.public_id)
            self.sales.refund(receipt, at, left or receipt.amount_cents)
        else:
            self.sales.dispute(receipt, at, ends=what)
        player.is_closed = self.pen.purses[player.org][Purpose.OWED] > 0

    def _untouched(self, player: Player) -> Receipt | None:
        for receipt in reversed(self.sales.receipts):
            is_theirs = receipt.organization_id == player.org and receipt.charge_id
            if is_theirs and receipt.public_id not in self.touched:
                return receipt
        return None

    def _today(self, players: list[Player], now: datetime) -> None:
        """Leave things under way: jobs, payments, requests and events that wait for somebody."""
        alive = [one for one in players if one.pays and not one.is_closed and one.until == now]
        for number, how in enumerate(("queued", "running", "running", "storing", "unknown") * 2):
            at = now - timedelta(minutes=30 - number)
            self._job(alive[number % len(alive)], at, open_as=how)
        for number, status in enumerate(_UNFINISHED):
            at = now - timedelta(hours=number + 1)
            self.sales.leave_open(alive[-1 - number % len(alive)], at, status)
        for number, state in enumerate(_ASKED):
            receipt = self._untouched(alive[number * 2 % len(alive)])
            if receipt is not None:
                self.touched.add(receipt.public_id)
                at = now - timedelta(days=number + 1, hours=3)
                self.sales.ask(receipt, at, state=state, cents=receipt.amount_cents // 2)
        self.sales.stray(now - timedelta(days=2))
        self.sales.trouble()
