"""The facts of a payment: its refunds and disputes, read at Stripe and stored.

What is stored is replaced by what was read later, never by what was read before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from billing.models import PaymentReversal, ReversalPhase
from billing.reversals.in_force import Fact
from billing.stripe import gateway
from billing.stripe.objects import Dispute, Refund
from imageskill.lib import database

_Kind = PaymentReversal.Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentFacts:
    """Refunds and disputes of one payment, as they were at Stripe when it was asked."""

    charge_id: str
    payment_intent_id: str
    refunds: Sequence[Refund]
    disputes: Sequence[Dispute]
    read_at: datetime  # before the first question: later news has an event of its own

    def __str__(self) -> str:
        return f"{len(self.refunds)} refunds and {len(self.disputes)} disputes of {self.charge_id}"


def read(*, charge_id: str, payment_intent_id: str) -> PaymentFacts:
    """Read all refunds and disputes of a payment at Stripe; outside any transaction."""
    read_at = database.now()  # a worker's own clock may be ahead, and hide later news
    return PaymentFacts(
        charge_id=charge_id,
        payment_intent_id=payment_intent_id,
        refunds=gateway.list_refunds(charge_id, payment_intent_id=payment_intent_id),
        disputes=gateway.list_disputes(charge_id, payment_intent_id=payment_intent_id),
        read_at=read_at,
    )


def read_for(reversal: PaymentReversal) -> PaymentFacts:
    """Read all refunds and disputes of the payment that a stored one is of."""
    return read(charge_id=reversal.charge_id, payment_intent_id=reversal.payment_intent_id)


def is_of(charge_id: str, payment_intent_id: str) -> Q:
    """Return the condition of rows that belong to a charge or its payment."""
    condition = Q(charge_id=charge_id) if charge_id else Q(pk__in=())
    if payment_intent_id:
        condition |= Q(payment_intent_id=payment_intent_id)
    return condition


def store(facts: PaymentFacts) -> list[PaymentReversal]:
    """Store what was read; return all reversals of the payment, locked in the order of their ids.

    The caller holds the lock of the payment, and saves the rows.
    """
    items: list[Refund | Dispute] = [*facts.refunds, *facts.disputes]
    read = {item.id: item for item in items}
    for stripe_id in sorted(read):
        _create_once(read[stripe_id])
    rows = PaymentReversal.objects.select_for_update(no_key=True, of=("self",)).filter(
        is_of(facts.charge_id, facts.payment_intent_id) | Q(stripe_id__in=read)
    )
    reversals = list(rows.order_by("id"))
    for reversal in reversals:
        item = read.get(reversal.stripe_id)
        if item and not (reversal.read_at and reversal.read_at > facts.read_at):
            _update(reversal, item, facts.read_at)
    return reversals


def as_fact(reversal: PaymentReversal) -> Fact:
    """Return what is stored of a refund or dispute, without its effect."""
    return Fact(
        id=reversal.stripe_id,
        kind="refund" if reversal.kind == _Kind.REFUND else "dispute",
        status=reversal.stripe_status,
        cents=reversal.amount_cents,
        currency=reversal.currency,
        created_at=reversal.stripe_created_at or reversal.created_at,
        withdrawn_cents=reversal.withdrawn_cents,
        reinstated_cents=reversal.reinstated_cents,
    )


def _create_once(item: Refund | Dispute) -> None:
    reversal, is_new = PaymentReversal.objects.get_or_create(
        stripe_id=item.id,
        defaults={
            "kind": _Kind.REFUND if isinstance(item, Refund) else _Kind.DISPUTE,
            "charge_id": item.charge_id,
            "payment_intent_id": item.payment_intent_id,
            "amount_cents": item.amount_cents,
            "currency": item.currency,
            "reason": item.reason[:64],
            "stripe_status": item.status,
        },
    )
    if is_new:
        ReversalPhase.objects.create(
            reversal=reversal, phase=ReversalPhase.Phase.SEEN, details={"status": item.status}
        )


def _update(reversal: PaymentReversal, item: Refund | Dispute, read_at: datetime) -> None:
    reversal.read_at = read_at
    reversal.stripe_created_at = item.created_at
    reversal.amount_cents, reversal.currency = item.amount_cents, item.currency
    reversal.stripe_status, reversal.reason = item.status, item.reason[:64]
    if isinstance(item, Refund):
        reversal.failure_reason = item.failure_reason[:64]
    else:
        reversal.evidence_due_by = item.evidence_due_by
        reversal.withdrawn_cents = item.withdrawn_cents
        reversal.reinstated_cents = item.reinstated_cents
