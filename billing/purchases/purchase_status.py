"""The status of a purchase, found by quote, attempt, Checkout session or receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Q, Sum

from billing.models import (
    AttemptStatus,
    PaymentAttempt,
    PaymentReversal,
    Quote,
    Receipt,
    UnmatchedPayment,
)
from billing.purchases import refund_states
from billing.purchases.receipt_status import ReceiptStatus, with_status
from billing.purchases.refund_states import RefundState
from imageskill.lib import clock
from imageskill.lib.errors import InvalidArguments, NotFound

REFERENCES = ("quote_id", "payment_attempt_id", "checkout_session_id", "receipt_id")

PurchaseState = Literal[
    "created",
    "action_required",
    "processing",
    "succeeded",
    "failed",
    "expired",
    "canceled",
    "refunded",
    "partially_refunded",
    "disputed",
]

# What an attempt's status is to the buyer, while there is no receipt.
_STATES: dict[str, PurchaseState] = {
    AttemptStatus.CREATED: "action_required",
    AttemptStatus.OPEN: "action_required",
    AttemptStatus.PROCESSING: "processing",
    AttemptStatus.SUCCEEDED: "succeeded",
    AttemptStatus.FAILED: "failed",
    AttemptStatus.EXPIRED: "expired",
    AttemptStatus.CANCELED: "canceled",
    AttemptStatus.NEEDS_STAFF: "processing",
    AttemptStatus.OVERPAID: "succeeded",
}


# A lost dispute reads `disputed` on the wire: the credits are gone either way.
_RECEIPT_STATES: dict[ReceiptStatus, PurchaseState] = {
    ReceiptStatus.LOST: "disputed",
    ReceiptStatus.DISPUTED: "disputed",
    ReceiptStatus.REFUNDED: "refunded",
    ReceiptStatus.PARTIALLY_REFUNDED: "partially_refunded",
    ReceiptStatus.PAID: "succeeded",
}
# What became of a payment that granted nothing; in any other state staff have it.
_RETURNED_STATES: dict[str, PurchaseState] = {
    UnmatchedPayment.State.REFUNDED: "refunded",
    UnmatchedPayment.State.DISPUTED: "disputed",
    UnmatchedPayment.State.LOST: "disputed",
}


@dataclass(frozen=True, slots=True)
class ReversedCredits:
    """How many of a receipt's credits are reversed at the moment."""

    refunded: int = 0
    disputed: int = 0


@dataclass(frozen=True, slots=True)
class Purchase:
    """A quote, with the attempt and the receipt that belong to it so far."""

    quote: Quote
    attempt: PaymentAttempt | None
    receipt: Receipt | None
    reversed: ReversedCredits = ReversedCredits()
    refunds: Sequence[RefundState] = ()
    returned_as: str | None = None  # the state of a payment that granted nothing

    @property
    def state(self) -> PurchaseState:
        """The state, as the contract names it."""
        if self.receipt is not None:
            return self._receipt_state(self.receipt)
        if self.attempt is not None:
            return _RETURNED_STATES.get(self.returned_as or "") or _STATES[self.attempt.status]
        return "expired" if self.quote.is_expired(now=clock.now()) else "created"

    def _receipt_state(self, receipt: Any) -> PurchaseState:
        return _RECEIPT_STATES[ReceiptStatus(receipt.status)]

    @property
    def is_open(self) -> bool:
        """Whether asking again later makes sense."""
        return self.state in {"action_required", "processing"}


def find(*, organization_id: int, **references: str | None) -> Purchase:
    """Return an organization's purchase by exactly one reference.

    Raises InvalidArguments for none or several, NotFound for an unknown or foreign one.
    """
    given = {name: value for name, value in references.items() if value is not None}
    if len(given) != 1:
        raise InvalidArguments(
            "Pass exactly one reference.",
            details=[{"field": name, "message": "exactly one of these"} for name in REFERENCES],
            recovery={
                "required_flags": [f"--{name.replace('_', '-')}" for name in REFERENCES],
                "suggested_command": "image-skill usage quota --json",  # the balance needs none
            },
        )
    [(name, value)] = given.items()
    quotes = Quote.objects.filter(organization_id=organization_id).select_related("agent")
    lookup = {
        "quote_id": "public_id",
        "payment_attempt_id": "attempts__public_id",
        "checkout_session_id": "attempts__checkout_session_id",
        "receipt_id": "receipt__public_id",
    }[name]
    quote = quotes.filter(**{lookup: value}).first()
    if quote is None:
        raise NotFound("There is no such purchase, or it is not yours.")
    receipt = with_status(Receipt.objects.filter(quote=quote)).first()
    attempt = _select_attempt(quote, receipt, name, value)
    is_paid = receipt is not None or (attempt is not None and attempt.is_paid)
    return Purchase(
        quote,
        attempt,
        receipt,
        ReversedCredits() if receipt is None else sum_reversals(receipt),
        refund_states.of_purchase(quote) if is_paid else (),
        None if attempt is None else refund_states.returned_as(attempt),
    )


def sum_reversals(receipt: Receipt) -> ReversedCredits:
    """Add up the refunds and disputes of a receipt that are in force."""
    in_force = PaymentReversal.objects.filter(
        receipt=receipt, state__in=(PaymentReversal.State.APPLIED, PaymentReversal.State.LOST)
    )
    kinds = PaymentReversal.Kind
    sums = in_force.aggregate(
        refunded=Sum("credits", filter=Q(kind=kinds.REFUND), default=0),
        disputed=Sum("credits", filter=Q(kind=kinds.DISPUTE), default=0),
    )
    return ReversedCredits(**sums)


def _select_attempt(
    quote: Quote, receipt: Receipt | None, name: str, value: str
) -> PaymentAttempt | None:
    """Choose the attempt that was named, else the one that paid, else the newest."""
    attempts = quote.attempts.order_by("-id")
    if name == "payment_attempt_id":
        return attempts.get(public_id=value)
    if name == "checkout_session_id":
        return attempts.get(checkout_session_id=value)
    if receipt is not None:
        return receipt.attempt
    return attempts.first()
