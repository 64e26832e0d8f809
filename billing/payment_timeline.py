"""A payment from quote to last cent: one timeline with the ledger effect of each step."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from billing.models import (
    Lot,
    LotPart,
    PaymentReversal,
    Receipt,
    RefundRequest,
    StripeEvent,
    Transfer,
)

MOST_OF_A_KIND = 50


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; `effect` says what it moved in the ledger, if anything."""

    at: datetime
    what: str
    detail: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """All steps, oldest first, and the proof that the payment was counted once."""

    steps: list[Step]
    deliveries: int
    applied: int
    events: list[StripeEvent]


def of(receipt: Receipt) -> Timeline:
    """Gather what happened to the payment behind a receipt."""
    events = _events(receipt)
    grants = list(Transfer.objects.filter(key=f"receipt:{receipt.public_id}:grant"))
    steps = [
        *_buying(receipt),
        *(_told(event) for event in events),
        *(Step(one.created_at, "granted", effect=_moved(one)) for one in grants),
        *_spends(receipt),
        *_requests(receipt),
        *_reversals(receipt),
    ]
    return Timeline(
        steps=sorted(steps, key=lambda step: step.at),
        deliveries=sum(event.deliveries for event in events),
        applied=len(grants),
        events=events,
    )


def _buying(receipt: Receipt) -> Iterator[Step]:
    quote, attempt = receipt.quote, receipt.attempt
    yield Step(
        quote.created_at,
        "quoted",
        f"{quote.public_id}: {quote.credits} credits by {quote.payment_method}",
    )
    if attempt:
        yield Step(attempt.created_at, "attempt", f"{attempt.public_id} ({attempt.environment})")
    yield Step(receipt.issued_at, "receipt", f"{receipt.number}: {receipt.amount_cents} cents")


def _events(receipt: Receipt) -> list[StripeEvent]:
    attempt = receipt.attempt
    ids = [receipt.payment_intent_id, receipt.charge_id]
    ids += [attempt.checkout_session_id or ""] if attempt else []
    known = [one for one in ids if one]
    if not known:
        return []
    found = StripeEvent.objects.filter(related_ids__overlap=known)
    return list(found.order_by("received_at")[:MOST_OF_A_KIND])


def _told(event: StripeEvent) -> Step:
    outcome = f"{event.get_state_display()}: {event.outcome}".rstrip(": ")
    return Step(event.received_at, f"Stripe: {event.type}", f"{event.event_id}, {outcome}")


def _spends(receipt: Receipt) -> Iterator[Step]:
    lot = Lot.objects.filter(reference=receipt.public_id).first()
    if lot is None:
        return
    parts = list(LotPart.objects.filter(lot=lot).order_by("-pk")[:MOST_OF_A_KIND])
    held = {
        transfer.reference: transfer.created_at
        for transfer in Transfer.objects.filter(
            reference__in=[part.reference for part in parts]
        ).order_by("-pk")
    }
    for part in parts:
        spent = part.taken - part.returned
        if part.reference in held:
            yield Step(
                held[part.reference], "spent", part.reference, f"{spent} of this purchase's credits"
            )


def _requests(receipt: Receipt) -> Iterator[Step]:
    for request in RefundRequest.objects.filter(receipt=receipt).select_related(
        "requested_by", "decided_by"
    ):
        detail = f"{request.amount_cents} cents by {request.requested_by}: {request.reason}"
        yield Step(request.requested_at, "refund asked for", detail)
        if request.decided_at:
            by = request.decided_by or "the threshold"
            yield Step(request.decided_at, f"refund {request.get_state_display()}", f"by {by}")


def _reversals(receipt: Receipt) -> Iterator[Step]:
    reversals = PaymentReversal.objects.filter(receipt=receipt).prefetch_related("phases")
    moves: dict[str, list[Transfer]] = {}
    for transfer in Transfer.objects.filter(
        reference__in=[reversal.public_id for reversal in reversals]
    ).select_related("source__organization", "target__organization"):
        moves.setdefault(transfer.reference, []).append(transfer)
    for reversal in reversals:
        for phase in reversal.phases.all():
            yield Step(
                phase.at, f"{reversal.kind}: {phase.get_phase_display()}", reversal.stripe_id
            )
        for transfer in moves.get(reversal.public_id, []):
            yield Step(
                transfer.created_at,
                transfer.get_kind_display(),
                reversal.stripe_id,
                _moved(transfer),
            )


def _moved(transfer: Transfer) -> str:
    return f"{transfer.credits} credits {transfer.source.purpose} → {transfer.target.purpose}"
