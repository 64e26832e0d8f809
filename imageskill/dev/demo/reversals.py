"""What was taken back in a made-up history: refunds that two people decided on, and disputes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.models import Alert, User
from billing.models import PaymentReversal, Receipt, RefundRequest, ReversalPhase
from imageskill.dev.demo.diary import Diary
from imageskill.dev.demo.dice import Dice
from imageskill.dev.demo.pen import Pen
from imageskill.dev.demo.purchases import told
from imageskill.dev.demo.sheets import Sheets
from imageskill.dev.demo.stripe_side import StripeSide

_Phase, _State, _Kind = ReversalPhase.Phase, PaymentReversal.State, PaymentReversal.Kind
_Asked = RefundRequest.State
_WHY_DISPUTED = ("fraudulent", "product_not_received", "unrecognized", "duplicate")
# Disputes that are still open: in how many days the bank wants to hear from us.
_DUE_DAYS = {"overdue": -0.8, "due": 1.2}


@dataclass
class Reversals:
    """Takes purchases back, one after the other."""

    dice: Dice
    pen: Pen
    sheets: Sheets
    stripe: StripeSide
    diary: Diary
    staff: dict[str, User]
    now: datetime

    def refund(self, receipt: Receipt, at: datetime, cents: int) -> None:
        """Refund a part or all, as a first person asked and a second one approved."""
        found = self._reversal(receipt, _Kind.REFUND, f"re_{self.dice.text(24)}", cents, at)
        self._take(found, receipt, f"refund:{found.stripe_id}", at)
        found.stripe_status = "succeeded"
        asked_at = at - timedelta(hours=self.dice.randrange(1, 30))
        request = self._request(receipt, asked_at, cents)
        request.reason_code = self.dice.choice(RefundRequest.ReasonCode.values)
        request.reason = "The sponsor wrote in: the credits are not needed any more."
        request.state, request.stripe_refund_id = _Asked.APPROVED, found.stripe_id
        request.sent_at = request.finished_at = at
        request.reversal = found
        self._decide(request, at)

    def ask(self, receipt: Receipt, at: datetime, *, state: str, cents: int) -> None:
        """Ask for a refund that nobody has decided on, or that came to nothing."""
        request = self._request(receipt, at, cents)
        request.state = state
        if state == _Asked.TURNED_DOWN:
            self._decide(request, at + timedelta(hours=5), "The images are as described.")

    def dispute(self, receipt: Receipt, at: datetime, *, ends: str) -> None:
        """Dispute a payment: an inquiry, still open, won or lost."""
        stripe_id = f"du_{self.dice.text(24)}"
        found = self._reversal(receipt, _Kind.DISPUTE, stripe_id, receipt.amount_cents, at)
        found.reason = self.dice.choice(_WHY_DISPUTED)
        found.evidence_due_by = (
            self.now + timedelta(days=_DUE_DAYS[ends])
            if ends in _DUE_DAYS
            else at + timedelta(days=self.dice.randrange(9, 19))
        )
        if ends == "inquiry":
            found.stripe_status = "warning_needs_response"
            return
        self._take(found, receipt, f"dispute:{stripe_id}:withdrawn", at)
        found.stripe_status = "needs_response"
        decided = min(self.dice.after(at, 3 * 86400, 9 * 86400), self.now)
        if ends == "won":
            self._win(found, receipt, decided)
        elif ends == "lost":
            found.state, found.stripe_status = _State.LOST, "lost"
            self.pen.lose(found.public_id, at=decided)
            self._phase(found, _Phase.LOST, decided)
            self.stripe.event("charge.dispute.closed", [stripe_id], decided, "")

    def stray(self, at: datetime) -> None:
        """Refund a charge that nobody here knows."""
        found = self._reversal(None, _Kind.REFUND, f"re_{self.dice.text(24)}", 1500, at)
        found.problem, found.stripe_status = PaymentReversal.Problem.NO_RECEIPT, "succeeded"
        self.stripe.reversed(found, at)

    def _win(self, found: PaymentReversal, receipt: Receipt, at: datetime) -> None:
        found.state, found.stripe_status = _State.UNDONE, "won"
        self.pen.win(found.public_id, at=at)
        self._phase(found, _Phase.UNDONE, at)
        self.stripe.event("charge.dispute.funds_reinstated", [found.stripe_id], at, "")
        self.stripe.reinstated(found, at)
        summary = "credits came back after a dispute"
        self._tell(found, receipt, "payment_backed_reinstated", summary, at)

    def _request(self, receipt: Receipt, at: datetime, cents: int) -> RefundRequest:
        request = self.sheets.add(
            RefundRequest(
                receipt=receipt,
                amount_cents=cents,
                reason_code=RefundRequest.ReasonCode.SERVICE,
                stripe_key=self.dice.text(22),
                requested_by=self.staff["support"],
                requested_at=at,
                reason="Half of the images were not what had been asked for.",
                expires_at=at + timedelta(days=settings.REFUND_REQUEST_DAYS),
            )
        )
        reason, after = request.reason, {"amount_cents": cents}
        self.diary.note(
            request.requested_by,
            "refund.request",
            receipt.public_id,
            at,
            reason=reason,
            after=after,
        )
        return request

    def _decide(self, request: RefundRequest, at: datetime, note: str = "") -> None:
        request.decided_by, request.decided_at = self.staff["finance"], at
        request.decision_note = note
        assert request.receipt is not None
        action, subject = f"refund.{request.state}", request.receipt.public_id
        after = {"amount_cents": request.amount_cents}
        self.diary.note(request.decided_by, action, subject, at, reason=note, after=after)

    def _reversal(
        self, receipt: Receipt | None, kind: str, stripe_id: str, cents: int, at: datetime
    ) -> PaymentReversal:
        found = self.sheets.add(
            PaymentReversal(
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
        )
        self._phase(found, _Phase.SEEN, at)
        name = "charge.refunded" if kind == _Kind.REFUND else "charge.dispute.created"
        self.stripe.event(name, [stripe_id, found.charge_id], at, found.public_id)
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
        self.stripe.reversed(found, at)
        is_refund = found.kind == _Kind.REFUND
        name = f"payment_backed_{'refunded' if is_refund else 'disputed'}"
        summary = f"{taking.taken} credits taken back by a {found.kind}"
        self._tell(found, receipt, name, summary, at)
        self.diary.tell(
            receipt.organization.owner,
            Alert.Kind.REFUND if is_refund else Alert.Kind.DISPUTE,
            receipt.public_id,
            at,
            cause=found.public_id,
            facts={
                "agent": receipt.agent.name if receipt.agent else "",
                "amount": f"${found.amount_cents // 100}.{found.amount_cents % 100:02}",
                "number": receipt.number,
                "credits": found.credits,
                "owed": taking.owed,
            },
        )

    def _phase(self, found: PaymentReversal, phase: str, at: datetime, **details: int) -> None:
        self.sheets.add(ReversalPhase(reversal=found, phase=phase, details=details, at=at))

    def _tell(
        self, found: PaymentReversal, receipt: Receipt, name: str, summary: str, at: datetime
    ) -> None:
        links: dict[str, Any] = {
            "payment_reversal_id": found.public_id,
            "credit_event_id": found.credit_event_id,
        }
        self.sheets.add(told(self.dice, receipt, name, summary, links, at=at))
