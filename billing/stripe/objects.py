"""What we read of Stripe's objects, and nothing else: frozen, plain, made from their JSON.

https://docs.stripe.com/api, at the version that `billing.stripe.gateway` pins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

Json = Mapping[str, Any]

MAX_ID_LENGTH = 255  # as Stripe promises for all its ids


@dataclass(frozen=True, kw_only=True)
class CheckoutSession:
    """A page where somebody can pay, and what came of it."""

    id: str
    url: str
    status: str  # open, complete, expired
    payment_status: str  # paid, unpaid, no_payment_required
    amount_total_cents: int
    discount_cents: int
    currency: str
    reference: str
    is_live_mode: bool
    expires_at: datetime
    payment_intent_id: str
    payment_intent_status: str
    charge_id: str
    metadata: Mapping[str, str]

    @classmethod
    def read(cls, found: Json) -> Self:
        """Read the JSON of a `checkout.session`, `payment_intent` expanded or not."""
        payment = found.get("payment_intent")
        payment = payment if isinstance(payment, Mapping) else {"id": payment}
        return cls(
            id=found["id"],
            url=found.get("url") or "",
            status=found.get("status") or "",
            payment_status=found["payment_status"],
            amount_total_cents=found.get("amount_total") or 0,
            discount_cents=(found.get("total_details") or {}).get("amount_discount") or 0,
            currency=(found.get("currency") or "").upper(),
            reference=found.get("client_reference_id") or "",
            is_live_mode=found["livemode"],
            expires_at=_timestamp(found["expires_at"]),
            payment_intent_id=payment.get("id") or "",
            payment_intent_status=payment.get("status") or "",
            charge_id=_id(payment.get("latest_charge")),
            metadata=found.get("metadata") or {},
        )

    @property
    def is_paid(self) -> bool:
        """Whether Stripe says that nothing more is to be paid."""
        return self.payment_status in {"paid", "no_payment_required"}

    @property
    def has_failed(self) -> bool:
        """Whether the buyer finished, and the payment then failed for good."""
        return self.status == "complete" and self.payment_intent_status in {
            "requires_payment_method",
            "canceled",
        }


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One charge of a card or account."""

    id: str
    payment_intent_id: str
    amount_cents: int
    amount_refunded_cents: int
    currency: str
    is_disputed: bool
    is_refunded: bool
    is_live_mode: bool
    balance_transaction_id: str
    metadata: Mapping[str, str]

    @classmethod
    def read(cls, found: Json) -> Self:
        """Read the JSON of a `charge`."""
        return cls(
            id=found["id"],
            payment_intent_id=_id(found.get("payment_intent")),
            amount_cents=found["amount"],
            amount_refunded_cents=found["amount_refunded"],
            currency=found["currency"].upper(),
            is_disputed=found["disputed"],
            is_refunded=found["refunded"],
            is_live_mode=found["livemode"],
            balance_transaction_id=_id(found.get("balance_transaction")),
            metadata=found.get("metadata") or {},
        )


@dataclass(frozen=True, kw_only=True)
class Refund:
    """Money on its way back to a buyer."""

    id: str
    charge_id: str
    payment_intent_id: str
    amount_cents: int
    currency: str
    status: str  # pending, requires_action, succeeded, failed, canceled
    reason: str
    created_at: datetime
    balance_transaction_id: str
    metadata: Mapping[str, str]

    @classmethod
    def read(cls, found: Json) -> Self:
        """Read the JSON of a `refund`."""
        return cls(
            id=found["id"],
            charge_id=_id(found.get("charge")),
            payment_intent_id=_id(found.get("payment_intent")),
            amount_cents=found["amount"],
            currency=found["currency"].upper(),
            status=found.get("status") or "",
            reason=found.get("reason") or "",
            created_at=_timestamp(found["created"]),
            balance_transaction_id=_id(found.get("balance_transaction")),
            metadata=found.get("metadata") or {},
        )


@dataclass(frozen=True, kw_only=True)
class BalanceTransaction:
    """One movement of Stripe's balance. Amounts are in the account's own currency."""

    id: str
    type: str
    reporting_category: str
    amount_cents: int
    fee_cents: int
    net_cents: int
    currency: str
    source_id: str
    created_at: datetime
    exchange_rate: Decimal | None

    @classmethod
    def read(cls, found: Json) -> Self:
        """Read the JSON of a `balance_transaction`."""
        rate = found.get("exchange_rate")
        return cls(
            id=found["id"],
            type=found["type"],
            reporting_category=found.get("reporting_category") or "",
            amount_cents=found["amount"],
            fee_cents=found["fee"],
            net_cents=found["net"],
            currency=found["currency"].upper(),
            source_id=_id(found.get("source")),
            created_at=_timestamp(found["created"]),
            exchange_rate=None if rate is None else Decimal(str(rate)),
        )


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A buyer's bank asking for the money back; `movements` are the funds it moved so far."""

    id: str
    charge_id: str
    payment_intent_id: str
    amount_cents: int
    currency: str
    status: str
    reason: str
    is_charge_refundable: bool
    evidence_due_by: datetime | None
    created_at: datetime
    metadata: Mapping[str, str]
    movements: tuple[BalanceTransaction, ...] = field(default=())

    @classmethod
    def read(cls, found: Json) -> Self:
        """Read the JSON of a `dispute`."""
        due_by = (found.get("evidence_details") or {}).get("due_by")
        return cls(
            id=found["id"],
            charge_id=_id(found.get("charge")),
            payment_intent_id=_id(found.get("payment_intent")),
            amount_cents=found["amount"],
            currency=found["currency"].upper(),
            status=found["status"],
            reason=found.get("reason") or "",
            is_charge_refundable=found["is_charge_refundable"],
            evidence_due_by=_timestamp(due_by) if due_by else None,
            created_at=_timestamp(found["created"]),
            metadata=found.get("metadata") or {},
            movements=tuple(
                BalanceTransaction.read(one) for one in found.get("balance_transactions") or ()
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened at Stripe; `payload` is all of it, `object` what it is about."""

    id: str
    type: str
    created_at: datetime
    is_live_mode: bool
    payload: Json

    @classmethod
    def read(cls, found: Json) -> Self:
        """Read the JSON of an `event`; KeyError, TypeError or ValueError if it is none."""
        return cls(
            id=_text(found["id"]),
            type=_text(found["type"]),
            created_at=_timestamp(found["created"]),
            is_live_mode=found["livemode"] is True,
            payload=found,
        )

    @property
    def object(self) -> Json:
        """The object that it is about, as it was when the event was made."""
        found = (self.payload.get("data") or {}).get("object")
        return found if isinstance(found, Mapping) else {}

    @property
    def object_id(self) -> str:
        """The id of that object."""
        return _id(self.object)

    @property
    def related_ids(self) -> list[str]:
        """Every id by which staff may look for the event."""
        names = ("payment_intent", "charge", "client_reference_id")
        found = {self.object_id, *(_id(self.object.get(name)) for name in names)}
        return sorted(found - {""})


def _id(found: Any) -> str:
    """Give the id of something that Stripe sends as an id or, expanded, as an object."""
    if isinstance(found, Mapping):
        found = found.get("id")
    return found[:MAX_ID_LENGTH] if isinstance(found, str) else ""


def _text(found: Any) -> str:
    if not isinstance(found, str) or len(found) > MAX_ID_LENGTH:
        raise TypeError("not an id")
    return found


def _timestamp(seconds: Any) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("not a moment") from error
