"""The money of a made-up history: quotes, attempts, receipts, reversals and Stripe's events.

Its payments never moved money: they are marked as the fake rail's or a stand-in's.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model

from accounts.models import ActivityEvent, User
from billing.models import (
    AttemptStatus,
    BalanceMovement,
    Environment,
    PaymentAttempt,
    PaymentReversal,
    Quote,
    Rail,
    Receipt,
    ReceiptSeries,
    RefundRequest,
    ReversalPhase,
    StripeEvent,
    UnmatchedPayment,
)
from billing.receipts import TEST_PREFIX
from imageskill.console.demo import trail
from imageskill.console.demo.dice import Dice
from imageskill.console.demo.pen import Pen
from imageskill.console.demo.people import Player

_BATCH = 1000
_AMOUNTS = {500: 6, 1000: 4, 2000: 3, 5000: 1, 750: 1}
_UNPAID = {
    AttemptStatus.EXPIRED: 6,
    AttemptStatus.FAILED: 2,
    AttemptStatus.CANCELED: 1,
}
_Phase, _State, _Kind = ReversalPhase.Phase, PaymentReversal.State, PaymentReversal.Kind
_WHY_DISPUTED = ("fraudulent", "product_not_received", "unrecognized", "duplicate")


@dataclass
class Sales:
    """Sells and reverses one after the other, and writes the rows at the end."""

    dice: Dice
    pen: Pen
    staff: dict[str, User]
    now: datetime
    receipts: list[Receipt] = field(default_factory=list)
    rows: dict[type[Model], list[Any]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        """Take the series of test numbers, locked until the commit."""
        self._series: dict[int, ReceiptSeries] = {}

    def buy(self, player: Player, at: datetime, *, least: int = 0) -> Receipt:
        """Sell a pack by one of the rails."""
        credits = max(self.dice.one_of(_AMOUNTS), least)
        is_stripe = self.dice.random() < 0.75
        if is_stripe and self.dice.random() < 0.2:
            status = self.dice.one_of(_UNPAID)
            self._attempt(self._quote(player, credits, Rail.STRIPE_CHECKOUT, at), status, at)
        rail = Rail.STRIPE_CHECKOUT if is_stripe else Rail.FAKE
        quote = self._quote(player, credits, rail, at)
        attempt = self._attempt(quote, AttemptStatus.SUCCEEDED, at) if is_stripe else None
        receipt = self._receipt(player, quote, attempt, at)
        self.receipts.append(receipt)
        if attempt:
            ids = [attempt.checkout_session_id, receipt.payment_intent_id, receipt.charge_id]
            self._stripe("checkout.session.completed", ids, at, str(receipt.public_id))
            self._movement(BalanceMovement.Category.PAYMENT, receipt, receipt.amount_cents, at)
        self._tell(
            receipt,
            "credits.payment_backed_granted",
            receipt.credit_event_id,
            f"{receipt.credits} credits bought",
            {"credit_event_id": receipt.credit_event_id},
            at=at,
        )
        return receipt

    def leave_open(self, player: Player, at: datetime, status: AttemptStatus) -> None:
        """Leave a payment unfinished: open, on its way, or waiting for staff."""
        quote = self._quote(player, 1000, Rail.STRIPE_CHECKOUT, at)
        attempt = self._attempt(quote, status, at)
        if status in {AttemptStatus.OVERPAID, AttemptStatus.NEEDS_STAFF}:
            is_second = status == AttemptStatus.OVERPAID
            reason = UnmatchedPayment.Reason
            self.rows[UnmatchedPayment].append(
                UnmatchedPayment(
                    quote=quote,
                    attempt=attempt,
                    checkout_session_id=attempt.checkout_session_id or "",
                    payment_intent_id=attempt.payment_intent_id,
                    charge_id=f"ch_{self.dice.text(24)}",
                    reason=reason.SECOND_PAYMENT if is_second else reason.AMOUNT_MISMATCH,
                    environment=Environment.STAND_IN,
                    amount_cents=quote.price_cents if is_second else quote.price_cents - 100,
                    currency="USD",
                    found_at=at,
                )
            )

    def refund(self, receipt: Receipt, at: datetime, cents: int) -> None:
        """Refund a part or all, as a first person asked and a second one approved."""
        found = self._reversal(receipt, _Kind.REFUND, f"re_{self.dice.text(24)}", cents, at)
        self._take(found, receipt, f"refund:{found.stripe_id}", at)
        found.stripe_status = "succeeded"
        support, finance = self.staff["support"], self.staff["finance"]
        asked = at - timedelta(hours=self.dice.randrange(1, 30))
        self.rows[RefundRequest].append(
            RefundRequest(
                receipt=receipt,
                amount_cents=cents,
                reason_code=self.dice.choice(RefundRequest.ReasonCode.values),
                stripe_key=self.dice.text(22),
                state=RefundRequest.State.APPROVED,
                requested_by=support,
                requested_at=asked,
                reason="The sponsor wrote in: the credits are not needed any more.",
                expires_at=asked + timedelta(days=7),
                decided_by=finance,
                decided_at=at,
                sent_at=at,
                finished_at=at,
                stripe_refund_id=found.stripe_id,
                reversal=found,
            )
        )

    def ask(self, receipt: Receipt, at: datetime, *, state: str, cents: int) -> None:
        """Ask for a refund that nobody has decided on, or that came to nothing."""
        is_decided = state == RefundRequest.State.TURNED_DOWN
        self.rows[RefundRequest].append(
            RefundRequest(
                receipt=receipt,
                amount_cents=cents,
                reason_code=RefundRequest.ReasonCode.SERVICE,
                stripe_key=self.dice.text(22),
                state=state,
                requested_by=self.staff["support"],
                requested_at=at,
                reason="Half of the pictures were not what had been asked for.",
                expires_at=at + timedelta(days=7),
                decided_by=self.staff["finance"] if is_decided else None,
                decided_at=at + timedelta(hours=5) if is_decided else None,
                decision_note="The pictures are as described." if is_decided else "",
            )
        )

    def dispute(self, receipt: Receipt, at: datetime, *, ends: str) -> None:
        """Dispute a payment: an inquiry, still open, won or lost."""
        found = self._reversal(
            receipt, _Kind.DISPUTE, f"du_{self.dice.text(24)}", receipt.amount_cents, at
        )
        found.reason = self.dice.choice(_WHY_DISPUTED)
        found.evidence_due_by = at + timedelta(days=self.dice.randrange(9, 19))
        if ends == "inquiry":
            found.stripe_status = "warning_needs_response"
            return
        key = f"dispute:{found.stripe_id}:withdrawn"
        self._take(found, receipt, key, at)
        found.stripe_status = "needs_response"
        decided = min(self.dice.after(at, 3 * 86400, 9 * 86400), self.now)
        if ends == "won":
            found.state, found.stripe_status = _State.UNDONE, "won"
            self.pen.win(found.public_id, at=decided)
            self._phase(found, _Phase.UNDONE, decided)
            self._stripe("charge.dispute.funds_reinstated", [found.stripe_id], decided, "")
            links = {"payment_reversal_id": found.public_id}
            self._tell(
                receipt,
                "credits.payment_backed_reinstated",
                found.credit_event_id,
                "credits came back after a dispute",
                links,
                at=decided,
            )
        elif ends == "lost":
            found.state, found.stripe_status = _State.LOST, "lost"
            self.pen.lose(found.public_id, at=decided)
            self._phase(found, _Phase.LOST, decided)
            self._stripe("charge.dispute.closed", [found.stripe_id], decided, "")

    def stray(self, at: datetime) -> None:
        """Refund a charge that nobody here knows."""
        found = self._reversal(None, _Kind.REFUND, f"re_{self.dice.text(24)}", 1500, at)
        found.problem = PaymentReversal.Problem.NO_RECEIPT

    def trouble(self) -> None:
        """Leave events in the inbox: failed ones, and those of no use to us."""
        for number in range(4):
            at = self.now - timedelta(hours=5 * number + 1)
            event = self._stripe("charge.refunded", [f"ch_{self.dice.text(24)}"], at, "")
            event.state, event.handled_at, event.attempts = StripeEvent.State.FAILED, None, 6
            event.error = "PaymentProviderFailure: No such refund"
            event.next_attempt_at = self.now + timedelta(days=30)
        for _ in range(60):
            at = self.dice.between(self.now - timedelta(days=60), self.now)
            event = self._stripe("payment_intent.created", [f"pi_{self.dice.text(24)}"], at, "")
            event.state, event.handled_at = StripeEvent.State.IGNORED, None
            event.outcome = "a type we don't use"

    def write(self) -> None:
        """Write everything, in the caller's transaction; what others point at comes first."""
        order: list[type[Model]] = [Quote, PaymentAttempt, Receipt, PaymentReversal]
        for model in [*order, *(model for model in self.rows if model not in order)]:
            rows = self.rows[model]
            if model is StripeEvent:
                rows.sort(key=lambda event: event.received_at)
            model._default_manager.bulk_create(rows, batch_size=_BATCH)
        for series in self._series.values():
            series.save()

    def _quote(self, player: Player, credits: int, rail: Rail, at: datetime) -> Quote:
        quote = Quote(
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
        self.rows[Quote].append(quote)
        return quote

    def _attempt(self, quote: Quote, status: AttemptStatus, at: datetime) -> PaymentAttempt:
        began = at - timedelta(minutes=3)
        is_paid = status in {
            AttemptStatus.SUCCEEDED,
            AttemptStatus.OVERPAID,
            AttemptStatus.NEEDS_STAFF,
        }
        attempt = PaymentAttempt(
            public_id=self.dice.public_id("payment_attempt"),
            quote=quote,
            agent=quote.agent,
            idempotency_key=f"pay-{self.dice.text(12)}",
            environment=Environment.STAND_IN,
            status=status,
            problem="amount_mismatch" if status == AttemptStatus.NEEDS_STAFF else "",
            session_expires_at=began + timedelta(hours=1),
            checkout_session_id=f"cs_test_{self.dice.text(40)}",
            payment_intent_id=f"pi_{self.dice.text(24)}" if is_paid else "",
            trace_id=quote.trace_id,
            next_check_at=self.now + timedelta(days=365),  # no vendor knows of it
            created_at=began,
        )
        self.rows[PaymentAttempt].append(attempt)
        return attempt

    def _receipt(
        self, player: Player, quote: Quote, attempt: PaymentAttempt | None, at: datetime
    ) -> Receipt:
        public_id = self.dice.public_id("receipt")
        there = self.pen.grant_paid(player.org, quote.credits, receipt_id=public_id, at=at)
        receipt = Receipt(
            public_id=public_id,
            number=self._number(at.year),
            organization_id=player.org,
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
        self.rows[Receipt].append(receipt)
        return receipt

    def _number(self, year: int) -> str:
        if year not in self._series:
            ReceiptSeries.objects.get_or_create(prefix=TEST_PREFIX, year=year)
            locked = ReceiptSeries.objects.select_for_update()
            self._series[year] = locked.get(prefix=TEST_PREFIX, year=year)
        series = self._series[year]
        series.last_number += 1
        return f"{TEST_PREFIX}-{year}-{series.last_number:06}"

    def _reversal(
        self, receipt: Receipt | None, kind: str, stripe_id: str, cents: int, at: datetime
    ) -> PaymentReversal:
        found = PaymentReversal(
            public_id=self.dice.public_id("payment_reversal"),
            kind=kind,
            stripe_id=stripe_id,
            receipt=receipt,
            organization_id=receipt.organization_id if receipt else None,
            charge_id=receipt.charge_id if receipt else f"ch_{self.dice.text(24)}",
            payment_intent_id=receipt.payment_intent_id if receipt else "",
            amount_cents=cents,
            currency="USD",
            reason="requested_by_customer",
            stripe_status="pending",
            credit_event_id=self.dice.public_id("credit_event"),
            created_at=at,
        )
        self.rows[PaymentReversal].append(found)
        self._phase(found, _Phase.SEEN, at)
        name = "charge.refunded" if kind == _Kind.REFUND else "charge.dispute.created"
        self._stripe(name, [stripe_id, found.charge_id], at, found.public_id)
        return found

    def _take(self, found: PaymentReversal, receipt: Receipt, key: str, at: datetime) -> None:
        taking = self.pen.take(
            receipt.organization_id,
            found.amount_cents,
            reversal_id=found.public_id,
            receipt_id=receipt.public_id,
            key=key,
            at=at,
        )
        found.state, found.credits = _State.APPLIED, found.amount_cents
        self._phase(found, _Phase.TAKEN, at, taken=taking.taken, owed=taking.owed)
        is_refund = found.kind == _Kind.REFUND
        category = BalanceMovement.Category
        moved = category.REFUND if is_refund else category.DISPUTE
        self._movement(moved, receipt, -found.amount_cents, at, found)
        name = "refunded" if is_refund else "disputed"
        links = {
            "payment_reversal_id": found.public_id,
            "credit_event_id": found.credit_event_id,
        }
        self._tell(
            receipt,
            f"credits.payment_backed_{name}",
            found.credit_event_id,
            f"{taking.taken} credits taken back by a {found.kind}",
            links,
            at=at,
        )

    def _phase(self, found: PaymentReversal, phase: str, at: datetime, **details: int) -> None:
        row = ReversalPhase(reversal=found, phase=phase, details=details, at=at)
        self.rows[ReversalPhase].append(row)

    def _movement(
        self,
        category: str,
        receipt: Receipt,
        cents: int,
        at: datetime,
        reversal: PaymentReversal | None = None,
    ) -> None:
        fee = 30 + receipt.amount_cents * 29 // 1000 if reversal is None else 0
        self.rows[BalanceMovement].append(
            BalanceMovement(
                stripe_id=f"txn_{self.dice.text(24)}",
                category=category,
                stripe_type="charge" if reversal is None else category,
                source_id=reversal.stripe_id if reversal else receipt.charge_id,
                amount_cents=cents,
                fee_cents=fee,
                net_cents=cents - fee,
                currency="USD",
                environment=Environment.STAND_IN,
                receipt=receipt,
                reversal=reversal,
                created_at=at,
            )
        )

    def _stripe(self, type: str, ids: list[Any], at: datetime, outcome: str) -> StripeEvent:
        event_id = f"evt_{self.dice.text(24)}"
        event = StripeEvent(
            event_id=event_id,
            type=type,
            object_id=ids[0],
            related_ids=[one for one in ids if one],
            is_live_mode=False,
            payload={"id": event_id, "type": type, "data": {"object": {"id": ids[0]}}},
            state=StripeEvent.State.HANDLED,
            outcome=outcome,
            attempts=1,
            deliveries=1 + (self.dice.random() < 0.05),
            created_at=at,
            received_at=at,
            handled_at=self.dice.after(at, 0.2, 2),
            next_attempt_at=at,
        )
        self.rows[StripeEvent].append(event)
        return event

    def _tell(
        self,
        receipt: Receipt,
        type: str,
        subject_id: str,
        summary: str,
        links: dict[str, Any],
        *,
        at: datetime,
    ) -> None:
        named = {"quote_id": receipt.quote.public_id, "receipt_id": receipt.public_id}
        self.rows[ActivityEvent].append(
            trail.event(
                self.dice,
                type=type,
                org=receipt.organization_id,
                agent=receipt.agent,
                subject_id=subject_id,
                operation="credits",
                summary=summary,
                status="succeeded",
                links=named | links,
                at=at,
                trace_id=receipt.trace_id,
                details={"amount_cents": receipt.amount_cents, "currency": "USD"},
            )
        )
