"""The timeline of a payment: every step since its quote, with its effect on the ledger.

It begins with the quote, so that a payment that failed or granted nothing has one too.
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

MAX_PER_KIND = 50


@dataclass(frozen=True, slots=True)
class PaymentStep:
    """One step; `effect` says what it moved in the ledger, if anything."""

    at: datetime
    what: str
    detail: str = ""
    effect: str = ""
    about: Model | None = None  # the object whose page is linked
    job_id: str = ""


@dataclass(frozen=True, slots=True)
class TruncatedList:
    """A model with more rows than are shown, and the filters of the list that has all of them."""

    model: type[Model]
    filters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PaymentTimeline:
    """All steps, oldest first; `applied` shows that the payment was granted once."""

    steps: list[PaymentStep]
    deliveries: int
    applied: int
    events: list[StripeEvent]
    left_out: list[TruncatedList]


@dataclass(frozen=True, slots=True)
class _Payment:
    """The rows of a quote's payment."""

    quote: Quote
    attempts: list[PaymentAttempt]
    receipt: Receipt | None
    unmatched: list[UnmatchedPayment]

    @property
    def stripe_ids(self) -> list[str]:
        """Its ids at Stripe, the most specific first."""
        rows: list[Any] = [self.receipt, *self.unmatched, *self.attempts]
        names = ("payment_intent_id", "charge_id", "checkout_session_id")
        return [
            stripe_id for name in names for row in rows if (stripe_id := getattr(row, name, ""))
        ]

    @property
    def receipt_filter(self) -> dict[str, Any]:
        """The filter of a list by the payment's receipt."""
        return {"receipt__id__exact": self.receipt.pk} if self.receipt else {}


def build(quote: Quote) -> PaymentTimeline:
    """Return the timeline of a quote's payment."""
    left_out: list[TruncatedList] = []
    payment = _Payment(
        quote,
        _first_rows(quote.attempts.order_by("pk"), left_out, quote__id__exact=quote.pk),
        Receipt.objects.filter(quote=quote).select_related("refund_block__blocked_by").first(),
        _first_rows(quote.unmatched_payments.order_by("pk"), left_out, quote__id__exact=quote.pk),
    )
    events = _stripe_events(payment, left_out)
    grants = _grant_transfers(payment.receipt)
    steps = [
        *_purchase_steps(payment),
        *(_event_step(event) for event in events),
        *(
            PaymentStep(grant.created_at, "Granted", effect=_describe_transfer(grant))
            for grant in grants
        ),
        *_spend_steps(_lot_parts(payment.receipt, left_out)),
        *_refund_request_steps(payment, left_out),
        *_reversal_steps(payment, left_out),
    ]
    return PaymentTimeline(
        steps=sorted(steps, key=lambda step: step.at),
        deliveries=sum(event.deliveries for event in events),
        applied=len(grants),
        events=events,
        left_out=left_out,
    )


def _first_rows(rows: QuerySet[Any], left_out: list[TruncatedList], **filters: Any) -> list[Any]:
    """Return the first rows, and note where all are, if there are more."""
    fetched = list(rows[: MAX_PER_KIND + 1])
    if len(fetched) > MAX_PER_KIND:
        left_out.append(TruncatedList(rows.model, filters))
    return fetched[:MAX_PER_KIND]


def _purchase_steps(payment: _Payment) -> Iterator[PaymentStep]:
    quote = payment.quote
    price = amounts.format_amount(quote.price_cents, quote.currency)
    terms = f"{quote.credits} credits for {price} by {quote.get_payment_method_display()}"
    yield PaymentStep(quote.created_at, "Quote created", terms, about=quote)
    for attempt in payment.attempts:
        yield PaymentStep(
            attempt.created_at, "Checkout created", attempt.get_environment_display(), about=attempt
        )
        if not attempt.is_payable and attempt.status != AttemptStatus.SUCCEEDED:
            what = f"Checkout {attempt.get_status_display().lower()}"
            yield PaymentStep(attempt.updated_at, what, attempt.problem, about=attempt)
    for unmatched in payment.unmatched:
        yield from _unmatched_steps(unmatched)
    if payment.receipt:
        yield from _receipt_steps(payment.receipt)


def _unmatched_steps(payment: UnmatchedPayment) -> Iterator[PaymentStep]:
    paid = amounts.format_amount(payment.amount_cents, payment.currency)
    detail = f"{paid}: {payment.get_reason_display()}"
    yield PaymentStep(payment.found_at, "Unmatched payment", detail, about=payment)
    if payment.resolved_at:
        what = f"Unmatched payment {payment.get_state_display().lower()}"
        yield PaymentStep(payment.resolved_at, what, payment.note, about=payment)


def _receipt_steps(receipt: Receipt) -> Iterator[PaymentStep]:
    paid = amounts.format_amount(receipt.amount_cents, receipt.currency)
    yield PaymentStep(receipt.issued_at, "Receipt issued", f"{paid} paid", about=receipt)
    block: RefundBlock | None = getattr(receipt, "refund_block", None)
    if block:
        why = f"by {block.blocked_by}: {block.reason}"
        yield PaymentStep(block.created_at, "Refunds blocked", why, about=receipt)


def _stripe_events(payment: _Payment, left_out: list[TruncatedList]) -> list[StripeEvent]:
    known = payment.stripe_ids
    if not known:
        return []
    events = StripeEvent.objects.filter(related_ids__overlap=known).order_by("received_at")
    return _first_rows(events, left_out, q=known[0])


def _event_step(event: StripeEvent) -> PaymentStep:
    outcome = f"{event.get_state_display()}: {event.outcome}".rstrip(": ")
    return PaymentStep(event.received_at, f"Stripe: {event.type}", outcome, about=event)


def _grant_transfers(receipt: Receipt | None) -> list[Transfer]:
    if receipt is None:
        return []
    transfers = Transfer.objects.filter(key=f"receipt:{receipt.public_id}:grant")
    return list(transfers.select_related("source", "target"))


def _lot_parts(receipt: Receipt | None, left_out: list[TruncatedList]) -> list[LotPart]:
    lot = Lot.objects.filter(reference=receipt.public_id).first() if receipt else None
    if lot is None:
        return []
    return _first_rows(
        LotPart.objects.filter(lot=lot).order_by("-pk"), left_out, lot__id__exact=lot.pk
    )


def _spend_steps(parts: list[LotPart]) -> Iterator[PaymentStep]:
    """Yield what jobs consumed of the purchase; reversals have steps of their own."""
    consumed = {part.reference: part.taken - part.returned for part in parts}
    transfers = Transfer.objects.filter(reference__in=consumed).order_by("-pk")
    started = {transfer.reference: transfer.created_at for transfer in transfers}
    for reference, at in started.items():
        if reference.startswith("job_"):
            effect = f"{consumed[reference]:,} of this purchase's credits"
            yield PaymentStep(at, "Spent", effect=effect, job_id=reference)


def _refund_request_steps(
    payment: _Payment, left_out: list[TruncatedList]
) -> Iterator[PaymentStep]:
    about = Q(unmatched_payment__in=payment.unmatched)
    if payment.receipt:
        about |= Q(receipt=payment.receipt)
    requests = RefundRequest.objects.filter(about).select_related(
        "requested_by", "decided_by", "reversal"
    )
    for request in _first_rows(requests.order_by("pk"), left_out, **payment.receipt_filter):
        amount = amounts.format_amount(request.amount_cents)
        why = f"{amount} by {request.requested_by}: {request.reason}"
        yield PaymentStep(request.requested_at, "Refund requested", why, about=request)
        if request.decided_at:
            what = f"Refund {request.get_state_display().lower()}"
            by = f"by {request.decided_by}" if request.decided_by else "within the threshold"
            yield PaymentStep(request.decided_at, what, by, about=request)
        yield from _outcome_steps(request)


def _outcome_steps(request: RefundRequest) -> Iterator[PaymentStep]:
    """Yield what became of a refund at Stripe, as it was when Stripe was asked last."""
    read_at = request.reversal.read_at if request.reversal else None
    if request.finished_at:
        what = f"Refund {request.status.label.lower()}"
        yield PaymentStep(
            read_at or request.finished_at, what, request.failure_words, about=request
        )


def _reversal_steps(payment: _Payment, left_out: list[TruncatedList]) -> Iterator[PaymentStep]:
    intents = [row.payment_intent_id for row in payment.unmatched if row.payment_intent_id]
    about = Q(payment_intent_id__in=intents)
    if payment.receipt:
        about |= Q(receipt=payment.receipt)
    queryset = PaymentReversal.objects.filter(about).prefetch_related("phases")
    reversals = _first_rows(queryset.order_by("pk"), left_out, **payment.receipt_filter)
    by_id = {reversal.public_id: reversal for reversal in reversals}
    for reversal in reversals:
        for phase in reversal.phases.all():
            what = f"{reversal.get_kind_display()} {phase.get_phase_display().lower()}"
            yield PaymentStep(phase.at, what, about=reversal)
        if reversal.resolved_at:
            what = f"{reversal.get_kind_display()} resolved"
            yield PaymentStep(reversal.resolved_at, what, reversal.resolution, about=reversal)
    transfers = Transfer.objects.filter(reference__in=by_id).select_related("source", "target")
    for transfer in transfers:
        yield PaymentStep(
            transfer.created_at,
            transfer.get_kind_display(),
            effect=_describe_transfer(transfer),
            about=by_id[transfer.reference],
        )


def _describe_transfer(transfer: Transfer) -> str:
    source, target = transfer.source, transfer.target
    route = f"{source.get_purpose_display()} → {target.get_purpose_display()}"
    return f"{transfer.credits:,} credits: {route}"
