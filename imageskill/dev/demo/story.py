"""What happens in a made-up history, event by event, in the order of time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from billing.chart import Purpose
from billing.models import AttemptStatus, Receipt, RefundRequest
from imageskill.dev.demo.dice import Dice
from imageskill.dev.demo.pen import Pen
from imageskill.dev.demo.people import Player
from imageskill.dev.demo.purchases import Purchases
from imageskill.dev.demo.reversals import Reversals
from imageskill.dev.demo.sheets import Sheets
from imageskill.dev.demo.work import Work

_Say = Callable[[str], None]
_Asked = RefundRequest.State
# Requests for refunds that came to nothing yet, or ever: how they stand, from how many days ago.
_ASKED = (
    (_Asked.EXPIRED, 9),
    (_Asked.REQUESTED, 1),
    (_Asked.TURNED_DOWN, 4),
    (_Asked.REQUESTED, 2),
    (_Asked.REQUESTED, 3),
)
_UNFINISHED = (
    AttemptStatus.OPEN,
    AttemptStatus.OPEN,
    AttemptStatus.PROCESSING,
    AttemptStatus.OVERPAID,
    AttemptStatus.NEEDS_STAFF,
)
# Refunds of what is unused and of what was spent; disputes by how they end, and those whose
# deadline is over or near. How many, and between how many days ago.
_REVERSALS = {
    "refund": (9, 25, 0),
    "spent": (4, 25, 0),
    "won": (4, 25, 0),
    "lost": (4, 25, 0),
    "overdue": (1, 16, 12),
    "due": (2, 9, 7),
    "open": (6, 6, 0),
    "inquiry": (3, 6, 0),
}


@dataclass
class Story:
    """What happens, in the order of time."""

    dice: Dice
    pen: Pen
    sheets: Sheets
    work: Work
    purchases: Purchases
    reversals: Reversals
    touched: set[str] = field(default_factory=set)  # receipts that were reversed or asked about
    players: dict[int, Player] = field(default_factory=dict)  # by their organization

    def tell(self, players: list[Player], *, jobs: int, now: datetime, say: _Say) -> None:
        """Tell every event; a job that its agent can't pay for leads to a purchase, or is none."""
        self.players = {player.org: player for player in players}
        events = sorted(self._events(players, jobs, now), key=lambda event: event[0])
        for number, (at, what, player) in enumerate(events, 1):
            if what == "signup":
                self._sign_up(player, at)
            elif what == "job":
                self._job(self._at_work(player, at), at)
            elif what == "upload":
                self.work.upload(player, at)
            else:
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
        for what, (count, most, least) in _REVERSALS.items():
            begin, end = now - timedelta(days=most), now - timedelta(days=least, hours=2)
            few = max(1, len(payers) // 8)  # so that purchases are left that stand
            for player in self.dice.sample(payers, min(count, few)):
                yield self.dice.between(begin, end), what, player

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
            self.purchases.buy(player, at, least=price)
        self.work.run(player, model, at, open_as=open_as)

    def _at_work(self, player: Player, at: datetime) -> Player:
        """Return the player, or another one where nothing further happens to this one."""
        if not player.is_closed:
            return player
        others = [
            one
            for one in self.players.values()
            if one.pays and not one.is_closed and one.agent.created_at < at <= one.until
        ]
        return self.dice.choice(others) if others else player

    def _reverse(self, player: Player, at: datetime, what: str) -> None:
        """Refund or dispute the player's latest purchase, or else another one's."""
        receipt = self._untouched(at, player) or self._untouched(at)
        if receipt is None:
            return
        self.touched.add(receipt.public_id)
        player = self.players[receipt.organization_id]
        if what in {"refund", "spent"}:
            left = 0 if what == "spent" else self.pen.left_of(player.org, receipt.public_id)
            self.reversals.refund(receipt, at, left or receipt.amount_cents)
        else:
            self.reversals.dispute(receipt, at, ends=what)
        player.is_closed = self.pen.purses[player.org][Purpose.OWED] > 0

    def _untouched(self, at: datetime, player: Player | None = None) -> Receipt | None:
        """Find the latest purchase through Stripe, of an open player, that nothing happened to."""
        for receipt in reversed(self.sheets[Receipt]):
            owner = self.players[receipt.organization_id]
            is_wanted = receipt.charge_id and receipt.issued_at < at and not owner.is_closed
            if is_wanted and player in {None, owner} and receipt.public_id not in self.touched:
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
            self.purchases.leave_open(alive[-1 - number % len(alive)], at, status)
        self.purchases.close_unmatched(alive[0], now - timedelta(days=20))
        for number, (state, days_ago) in enumerate(_ASKED):
            at = now - timedelta(days=days_ago, hours=3)
            old = [one for one in alive if one.agent.created_at < at - timedelta(days=1)] or alive
            player = old[number * 2 % len(old)]
            receipt = self._untouched(at, player) or self._untouched(at)
            if receipt is None:
                bought_at = at - timedelta(hours=20)
                receipt = self.purchases.buy(player, bought_at, is_by_card=True)
            self.touched.add(receipt.public_id)
            self.reversals.ask(receipt, at, state=state, cents=receipt.amount_cents // 2)
        self.reversals.stray(now - timedelta(days=2))
