"""Stripe's side of a made-up history: the events that it sent, and what moved on its balance."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from billing.models import BalanceMovement, Environment, PaymentReversal, Receipt, StripeEvent
from imageskill.dev.demo.dice import Dice
from imageskill.dev.demo.sheets import Sheets

_Category, _State = BalanceMovement.Category, StripeEvent.State
# type, whose id it names, what handling it raised
_FAILED = (
    ("charge.refunded", "ch", "PaymentProviderFailure: No such refund"),
    ("charge.dispute.created", "du", "PaymentProviderFailure: Request rate limit exceeded"),
    ("checkout.session.completed", "cs_test", "UnknownSession: no attempt has this session"),
    ("charge.refund.updated", "re", "PaymentProviderFailure: Stripe did not answer in time"),
)
_IGNORED = (
    ("payment_intent.created", "pi", "a type we don't use", 6),
    ("charge.updated", "ch", "a type we don't use", 3),
    ("payout.paid", "po", "a type we don't use", 1),
    ("checkout.session.completed", "cs_test", "not ours: another installation's session", 1),
)
_IGNORED_EVENTS = 60
_FAR = timedelta(days=30)  # no worker takes up what stands here to be looked at


@dataclass(frozen=True, slots=True)
class StripeSide:
    """Writes events and movements beside what they tell of."""

    dice: Dice
    sheets: Sheets
    now: datetime

    def event(self, type: str, ids: list[Any], at: datetime, outcome: str) -> StripeEvent:
        """Receive an event, and handle it within seconds."""
        event_id = f"evt_{self.dice.text(24)}"
        return self.sheets.add(
            StripeEvent(
                event_id=event_id,
                type=type,
                object_id=ids[0],
                related_ids=[one for one in ids if one],
                is_live_mode=False,
                payload={"id": event_id, "type": type, "data": {"object": {"id": ids[0]}}},
                state=_State.HANDLED,
                outcome=outcome,
                attempts=1,
                deliveries=1 + (self.dice.random() < 0.05),
                created_at=at,
                received_at=at,
                handled_at=self.dice.after(at, 0.2, 2),
                next_attempt_at=at,
            )
        )

    def paid(self, receipt: Receipt, at: datetime) -> None:
        """Move a payment, less the fee."""
        fee = 30 + receipt.amount_cents * 29 // 1000
        self._move(
            _Category.PAYMENT, receipt.charge_id, receipt.amount_cents, at, fee=fee
        ).receipt = receipt

    def reversed(self, reversal: PaymentReversal, at: datetime) -> None:
        """Move a refund or a dispute out."""
        is_refund = reversal.kind == PaymentReversal.Kind.REFUND
        category = _Category.REFUND if is_refund else _Category.DISPUTE
        moved = self._move(category, reversal.stripe_id, -reversal.amount_cents, at)
        moved.reversal, moved.receipt = reversal, reversal.receipt

    def reinstated(self, reversal: PaymentReversal, at: datetime) -> None:
        """Move a dispute that was won back in."""
        category = _Category.DISPUTE_REVERSAL
        moved = self._move(category, reversal.stripe_id, reversal.amount_cents, at)
        moved.reversal, moved.receipt = reversal, reversal.receipt

    def finish(self, begin: datetime) -> None:
        """Add what no single payment leaves: failed events, differences, payouts."""
        self._trouble()
        self._disagree()
        self._pay_out(begin)

    def _trouble(self) -> None:
        """Leave events in the inbox: failed ones, and those of no use to us."""
        for number, (type, kind, error) in enumerate(_FAILED):
            at = self.now - timedelta(hours=5 * number + 1)
            event = self.event(type, [f"{kind}_{self.dice.text(24)}"], at, "")
            event.state, event.handled_at, event.attempts = _State.FAILED, None, 6
            event.error, event.next_attempt_at = error, self.now + _FAR
        weights = {row[:3]: row[3] for row in _IGNORED}
        for _ in range(_IGNORED_EVENTS):
            type, kind, outcome = self.dice.one_of(weights)
            at = self.dice.between(self.now - timedelta(days=60), self.now)
            event = self.event(type, [f"{kind}_{self.dice.text(24)}"], at, outcome)
            event.state, event.handled_at = _State.IGNORED, None

    def _disagree(self) -> None:
        """Leave movements that our books tell otherwise, for reconciliation to find.

        The latest payment did not move at all; earlier ones moved with another amount, in
        another currency and twice; one is of a charge that nobody here knows.
        """
        yesterday = self.now - timedelta(days=1)
        payments = [
            row
            for row in self.sheets[BalanceMovement]
            if row.category == _Category.PAYMENT and row.created_at < yesterday
        ]
        payments.sort(key=lambda row: row.created_at)
        if len(payments) >= 4:
            unmoved, less, other_currency, twice = payments[:-5:-1]
            self.sheets[BalanceMovement].remove(unmoved)
            less.amount_cents, less.net_cents = less.amount_cents - 15, less.net_cents - 15
            other_currency.currency = "EUR"
            other_currency.amount_cents = other_currency.amount_cents * 92 // 100
            other_currency.net_cents = other_currency.amount_cents - other_currency.fee_cents
            again = self.dice.after(twice.created_at, 2, 9)
            moved = self._move(_Category.PAYMENT, twice.source_id, twice.amount_cents, again)
            moved.receipt = twice.receipt
        at = self.now - timedelta(days=3)
        self._move(_Category.PAYMENT, f"ch_{self.dice.text(24)}", 2000, at, fee=88)

    def _pay_out(self, since: datetime) -> None:
        """Pay out every week what was taken in, which has no credits behind it."""
        at = since + timedelta(days=7)
        while at < self.now:
            week = [
                row.net_cents
                for row in self.sheets[BalanceMovement]
                if at - timedelta(days=7) <= row.created_at < at
            ]
            if sum(week) > 0:
                payout = f"po_{self.dice.text(24)}"
                self._move(_Category.OTHER, payout, -sum(week), at, type="payout")
            at += timedelta(days=7)

    def _move(
        self, category: str, source: str, cents: int, at: datetime, *, fee: int = 0, type: str = ""
    ) -> BalanceMovement:
        is_payment = category == _Category.PAYMENT
        return self.sheets.add(
            BalanceMovement(
                stripe_id=f"txn_{self.dice.text(24)}",
                category=category,
                stripe_type=type or ("charge" if is_payment else category),
                source_id=source,
                amount_cents=cents,
                fee_cents=fee,
                net_cents=cents - fee,
                currency="USD",
                environment=Environment.STAND_IN,
                created_at=at,
            )
        )
