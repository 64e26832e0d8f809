"""What agents of a made-up history bought: quotes, attempts, receipts.

The payments never moved money: they are marked as the fake rail's or a stand-in's.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from accounts.models import ActivityEvent, Alert
from billing.models import (
    AttemptStatus,
    Environment,
    PaymentAttempt,
    Quote,
    Rail,
    Receipt,
    ReceiptSeries,
    UnmatchedPayment,
)
from billing.purchases.receipts import TEST_PREFIX
from imageskill.dev.demo import trail
from imageskill.dev.demo.diary import Diary
from imageskill.dev.demo.dice import Dice
from imageskill.dev.demo.pen import Pen
from imageskill.dev.demo.people import Player
from imageskill.dev.demo.sheets import Sheets
from imageskill.dev.demo.stripe_side import StripeSide

_AMOUNTS = {500: 6, 1000: 4, 2000: 3, 5000: 1, 750: 1}
_UNPAID = {
    AttemptStatus.EXPIRED: 6,
    AttemptStatus.FAILED: 2,
    AttemptStatus.CANCELED: 1,
}
_PAID = {AttemptStatus.SUCCEEDED, AttemptStatus.OVERPAID, AttemptStatus.NEEDS_STAFF}
_Reason = UnmatchedPayment.Reason


@dataclass
class Purchases:
    """Sells one pack after the other."""

    dice: Dice
    pen: Pen
    sheets: Sheets
    stripe: StripeSide
    diary: Diary
    now: datetime
    _series: dict[int, ReceiptSeries] = field(default_factory=dict)  # locked until the commit

    def buy(
        self, player: Player, at: datetime, *, least: int = 0, is_by_card: bool = False
    ) -> Receipt:
        """Sell a pack by one of the rails, mostly through Stripe."""
        credits = max(self.dice.one_of(_AMOUNTS), least)
        is_stripe = is_by_card or self.dice.random() < 0.75
        if is_stripe and self.dice.random() < 0.2:
            status = self.dice.one_of(_UNPAID)
            self._attempt(self._quote(player, credits, Rail.STRIPE_CHECKOUT, at), status, at)
        rail = Rail.STRIPE_CHECKOUT if is_stripe else Rail.FAKE
        quote = self._quote(player, credits, rail, at)
        attempt = self._attempt(quote, AttemptStatus.SUCCEEDED, at) if is_stripe else None
        receipt = self._receipt(player, quote, attempt, at)
        if attempt:
            ids = [attempt.checkout_session_id, receipt.payment_intent_id, receipt.charge_id]
            self.stripe.event("checkout.session.completed", ids, at, str(receipt.public_id))
            self.stripe.paid(receipt, at)
        self._mail(receipt, player, at)
        links = {"credit_event_id": receipt.credit_event_id}
        summary = f"{receipt.credits} credits bought"
        self.sheets.add(told(self.dice, receipt, "payment_backed_granted", summary, links, at=at))
        return receipt

    def leave_open(self, player: Player, at: datetime, status: AttemptStatus) -> None:
        """Leave a payment unfinished: open, on its way, or waiting for staff."""
        quote = self._quote(player, 1000, Rail.STRIPE_CHECKOUT, at)
        attempt = self._attempt(quote, status, at)
        if status in {AttemptStatus.OVERPAID, AttemptStatus.NEEDS_STAFF}:
            self._unmatched(attempt, at)

    def close_unmatched(self, player: Player, at: datetime) -> None:
        """Leave a payment that bought nothing, and that staff have dealt with since."""
        self.leave_open(player, at, AttemptStatus.NEEDS_STAFF)
        payment = self.sheets[UnmatchedPayment][-1]
        payment.state = UnmatchedPayment.State.CLOSED
        payment.note = "The buyer's bank had taken it back before we could."
        payment.resolved_at = at + timedelta(hours=4)

    def finish(self) -> None:
        """Write how far the receipts' numbers have come."""
        for series in self._series.values():
            series.save()

    def _unmatched(self, attempt: PaymentAttempt, at: datetime) -> None:
        is_second = attempt.status == AttemptStatus.OVERPAID
        price = attempt.quote.price_cents
        self.sheets.add(
            UnmatchedPayment(
                quote=attempt.quote,
                attempt=attempt,
                checkout_session_id=attempt.checkout_session_id or "",
                payment_intent_id=attempt.payment_intent_id,
                charge_id=f"ch_{self.dice.text(24)}",
                reason=_Reason.SECOND_PAYMENT if is_second else _Reason.AMOUNT_MISMATCH,
                environment=Environment.STAND_IN,
                amount_cents=price if is_second else price - 100,
                currency="USD",
                found_at=at,
            )
        )

    def _mail(self, receipt: Receipt, player: Player, at: datetime) -> None:
        facts = {
            "agent": player.agent.name,
            "credits": receipt.credits,
            "amount": f"${receipt.amount_cents // 100}.{receipt.amount_cents % 100:02}",
            "number": receipt.number,
            "live": receipt.is_live,
        }
        about = receipt.public_id
        self.diary.tell(player.sponsor, Alert.Kind.PURCHASE, about, at, cause=about, facts=facts)

    def _quote(self, player: Player, credits: int, rail: Rail, at: datetime) -> Quote:
        return self.sheets.add(
            Quote(
                public_id=self.dice.public_id("quote"),
                organization_id=player.org,
                agent=player.agent,
                idempotency_key=f"buy-{self.dice.text(12)}",
                payment_method=rail,
                credits=credits,
                price_cents=credits,
                trace_id=self.dice.trace(),
                created_at=at - timedelta(minutes=4),
                expires_at=at + timedelta(minutes=26),
            )
        )

    def _attempt(self, quote: Quote, status: AttemptStatus, at: datetime) -> PaymentAttempt:
        began = at - timedelta(minutes=3)
        return self.sheets.add(
            PaymentAttempt(
                public_id=self.dice.public_id("payment_attempt"),
                quote=quote,
                agent=quote.agent,
                idempotency_key=f"pay-{self.dice.text(12)}",
                environment=Environment.STAND_IN,
                status=status,
                problem="amount_mismatch" if status == AttemptStatus.NEEDS_STAFF else "",
                session_expires_at=began + timedelta(hours=1),
                checkout_session_id=f"cs_test_{self.dice.text(40)}",
                payment_intent_id=f"pi_{self.dice.text(24)}" if status in _PAID else "",
                trace_id=quote.trace_id,
                next_check_at=self.now + timedelta(days=365),  # no vendor knows of it
                created_at=began,
            )
        )

    def _receipt(
        self, player: Player, quote: Quote, attempt: PaymentAttempt | None, at: datetime
    ) -> Receipt:
        public_id = self.dice.public_id("receipt")
        there = self.pen.grant_paid(player.org, quote.credits, receipt_id=public_id, at=at)
        return self.sheets.add(
            Receipt(
                public_id=public_id,
                number=self._number(at.year),
                organization=player.agent.organization,
                agent=player.agent,
                quote=quote,
                attempt=attempt,
                payment_method=quote.payment_method,
                environment=Environment.STAND_IN if attempt else Environment.TEST,
                idempotency_key=attempt.idempotency_key if attempt else quote.idempotency_key,
                credits=quote.credits,
                amount_cents=quote.price_cents,
                currency="USD",
                balance_after=there,
                credit_event_id=self.dice.public_id("credit_event"),
                payment_intent_id=attempt.payment_intent_id if attempt else "",
                charge_id=f"ch_{self.dice.text(24)}" if attempt else "",
                trace_id=quote.trace_id,
                issued_at=at,
            )
        )

    def _number(self, year: int) -> str:
        if year not in self._series:
            ReceiptSeries.objects.get_or_create(prefix=TEST_PREFIX, year=year)
            locked = ReceiptSeries.objects.select_for_update()
            self._series[year] = locked.get(prefix=TEST_PREFIX, year=year)
        series = self._series[year]
        series.last_number += 1
        return f"{TEST_PREFIX}-{year}-{series.last_number:06}"


def told(
    dice: Dice,
    receipt: Receipt,
    name: str,
    summary: str,
    links: dict[str, Any],
    *,
    at: datetime,
) -> ActivityEvent:
    """Return the event that tells of a payment's credits; it is about the credit event linked."""
    named = {"quote_id": receipt.quote.public_id, "receipt_id": receipt.public_id}
    return trail.event(
        dice,
        type=f"credits.{name}",
        org=receipt.organization_id,
        agent=receipt.agent,
        subject_id=links["credit_event_id"],
        operation="credits",
        summary=summary,
        status="succeeded",
        links=named | links,
        at=at,
        trace_id=receipt.trace_id,
        details={"amount_cents": receipt.amount_cents, "currency": "USD"},
    )
