"""A payment from quote to last cent: one timeline with the ledger effect of each step.

It begins with the quote, so that a payment which failed, or granted nothing, has one as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, Q, QuerySet

from billing.models import (
    AttemptStatus,
    Lot,
    LotPart,
    PaymentAttempt,
    PaymentReversal,
    Quote,
    Receipt,
    RefundBlock,
    RefundRequest,
    StripeEvent,
    Transfer,
    UnmatchedPayment,
)
from imageskill.lib import amounts

MOST_OF_A_KIND = 50


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; `effect` says what it moved in the ledger, if anything."""

    at: datetime
    what: str
    detail: str = ""
    effect: str = ""
    about: Model | None = None  # what has a page of its own
    job_id: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model of which there is more than is shown, and what narrows its list to all of it."""

    model: type[Model]
    narrowed_to: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Timeline:
    """All steps, oldest first, and the proof that the payment was counted once."""

    steps: list[Step]
    deliveries: int
    applied: int
    events: list[StripeEvent]
    left_out: list[LeftOut]


@dataclass(frozen=True, slots=True)
class _Payment:
    """The rows that a quote's payment is made of."""

    quote: Quote
    attempts: list[PaymentAttempt]
    receipt: Receipt | None
    unmatched: list[UnmatchedPayment]

    @property
    def stripe_ids(self) -> list[str]:
        """Stripe's ids of it, the most telling first."""
        rows: list[Any] = [self.receipt, *self.unmatched, *self.attempts]
        names = ("payment_intent_id", "charge_id", "checkout_session_id")
        return [found for name in names for row in rows if (found := getattr(row, name, ""))]

    @property
    def of_receipt(self) -> dict[str, Any]:
        """What narrows a list to the payment's receipt."""
        return {"receipt__id__exact": self.receipt.pk} if self.receipt else {}


def of(quote: Quote) -> Timeline:
    """Gather what happened to the payment of a quote."""
    left_out: list[LeftOut] = []
    payment = _Payment(
        quote,
        _first(quote.attempts.order_by("pk"), left_out, quote__id__exact=quote.pk),
        Receipt.objects.filter(quote=quote).select_related("refund_block__blocked_by").first(),
        _first(quote.unmatched_payments.order_by("pk"), left_out, quote__id__exact=quote.pk),
    )
    events = _events(payment, left_out)
    grants = _grants(payment.receipt)
    steps = [
        *_buying(payment),
        *(_told(event) for event in events),
        *(Step(one.created_at, "granted", effect=_moved(one)) for one in grants),
        *_spends(_parts(payment.receipt, left_out)),
        *_requests(payment, left_out),
        *_reversals(payment, left_out),
    ]
    return Timeline(
        steps=sorted(steps, key=lambda step: step.at),
        deliveries=sum(event.deliveries for event in events),
        applied=len(grants),
        events=events,
        left_out=left_out,
    )


def _first(rows: QuerySet[Any], left_out: list[LeftOut], **narrowed_to: Any) -> list[Any]:
    """Give the first rows, and note where all are, if there are more."""
    found = list(rows[: MOST_OF_A_KIND + 1])
    if len(found) > MOST_OF_A_KIND:
        left_out.append(LeftOut(rows.model, narrowed_to))
    return found[:MOST_OF_A_KIND]


def _buying(payment: _Payment) -> Iterator[Step]:
    quote = payment.quote
    price = amounts.written(quote.price_cents, quote.currency)
    terms = f"{quote.credits} credits for {price} by {quote.get_payment_method_display()}"
    yield Step(quote.created_at, "quoted", terms, about=quote)
    for attempt in payment.attempts:
        yield Step(attempt.created_at, "attempt", attempt.get_environment_display(), about=attempt)
        if not attempt.is_payable and attempt.status != AttemptStatus.SUCCEEDED:
            what = f"attempt {attempt.get_status_display()}"
            yield Step(attempt.updated_at, what, attempt.problem, about=attempt)
    for odd in payment.unmatched:
        yield from _granting_nothing(odd)
    if payment.receipt:
        yield from _receipt(payment.receipt)


def _granting_nothing(odd: UnmatchedPayment) -> Iterator[Step]:
    paid = amounts.written(odd.amount_cents, odd.currency)
    reason = odd.get_reason_display()
    yield Step(odd.found_at, "paid, granting nothing", f"{paid}: {reason}", about=odd)
    if odd.resolved_at:
        yield Step(odd.resolved_at, odd.get_state_display(), odd.note, about=odd)


def _receipt(receipt: Receipt) -> Iterator[Step]:
    paid = amounts.written(receipt.amount_cents, receipt.currency)
    yield Step(receipt.issued_at, "receipt", f"{paid} paid", about=receipt)
    block: RefundBlock | None = getattr(receipt, "refund_block", None)
    if block:
        why = f"by {block.blocked_by}: {block.reason}"
        yield Step(block.created_at, "refunds blocked", why, about=receipt)


def _events(payment: _Payment, left_out: list[LeftOut]) -> list[StripeEvent]:
    known = payment.stripe_ids
    if not known:
        return []
    found = StripeEvent.objects.filter(related_ids__overlap=known).order_by("received_at")
    return _first(found, left_out, q=known[0])


def _told(event: StripeEvent) -> Step:
    outcome = f"{event.get_state_display()}: {event.outcome}".rstrip(": ")
    return Step(event.received_at, f"Stripe: {event.type}", outcome, about=event)


def _grants(receipt: Receipt | None) -> list[Transfer]:
    if receipt is None:
        return []
    found = Transfer.objects.filter(key=f"receipt:{receipt.public_id}:grant")
    return list(found.select_related("source", "target"))


def _parts(receipt: Receipt | None, left_out: list[LeftOut]) -> list[LotPart]:
    lot = Lot.objects.filter(reference=receipt.public_id).first() if receipt else None
    if lot is None:
        return []
    return _first(LotPart.objects.filter(lot=lot).order_by("-pk"), left_out, lot__id__exact=lot.pk)


def _spends(parts: list[LotPart]) -> Iterator[Step]:
    """Tell what jobs took of the purchase; what reversals took stands with them."""
    taken = {part.reference: part.taken - part.returned for part in parts}
    moves = Transfer.objects.filter(reference__in=taken).order_by("-pk")
    began = {move.reference: move.created_at for move in moves}
    for reference, at in began.items():
        if reference.startswith("job_"):
            effect = f"{taken[reference]} of this purchase's credits"
            yield Step(at, "spent", effect=effect, job_id=reference)


def _requests(payment: _Payment, left_out: list[LeftOut]) -> Iterator[Step]:
    about = Q(unmatched_payment__in=payment.unmatched)
    if payment.receipt:
        about |= Q(receipt=payment.receipt)
    found = RefundRequest.objects.filter(about).select_related("requested_by", "decided_by")
    for request in _first(found.order_by("pk"), left_out, **payment.of_receipt):
        amount = amounts.written(request.amount_cents)
        why = f"{amount} by {request.requested_by}: {request.reason}"
        yield Step(request.requested_at, "refund asked for", why, about=request)
        if request.decided_at:
            what = f"refund {request.get_state_display()}"
            by = f"by {request.decided_by or 'the threshold'}"
            yield Step(request.decided_at, what, by, about=request)


def _reversals(payment: _Payment, left_out: list[LeftOut]) -> Iterator[Step]:
    odd = [one.payment_intent_id for one in payment.unmatched if one.payment_intent_id]
    about = Q(payment_intent_id__in=odd)
    if payment.receipt:
        about |= Q(receipt=payment.receipt)
    found = PaymentReversal.objects.filter(about).prefetch_related("phases")
    reversals = _first(found.order_by("pk"), left_out, **payment.of_receipt)
    by_id = {reversal.public_id: reversal for reversal in reversals}
    for reversal in reversals:
        for phase in reversal.phases.all():
            what = f"{reversal.kind}: {phase.get_phase_display()}"
            yield Step(phase.at, what, about=reversal)
        if reversal.resolved_at:
            what = f"{reversal.kind}: resolved"
            yield Step(reversal.resolved_at, what, reversal.resolution, about=reversal)
    moves = Transfer.objects.filter(reference__in=by_id).select_related("source", "target")
    for move in moves:
        about_it = by_id[move.reference]
        yield Step(move.created_at, move.get_kind_display(), "", _moved(move), about=about_it)


def _moved(transfer: Transfer) -> str:
    return f"{transfer.credits} credits {transfer.source.purpose} → {transfer.target.purpose}"
