"""The fields of Stripe's objects that we use: frozen dataclasses, read from their JSON.

https://docs.stripe.com/api, at the version that `billing.stripe.gateway` pins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

Json = Mapping[str, Any]

MAX_ID_LENGTH = 255  # as Stripe promises for all its ids


@dataclass(frozen=True, kw_only=True)
class PaidWith:
    """How and when a charge was paid."""

    kind: str = ""  # card, us_bank_account, link, …
    brand: str = ""
    last4: str = ""
    at: datetime | None = None

    @classmethod
    def read(cls, charge: Any) -> Self:
        """Read it from a charge, where that is expanded."""
        if not isinstance(charge, Mapping):
            return cls()
        details = charge.get("payment_method_details") or {}
        kind = _short(details.get("type"), 32)
        method = details.get(kind) or {}
        return cls(
            kind=kind,
            brand=_short(method.get("brand") or method.get("bank_name"), 32),
            last4=_short(method.get("last4"), 4),
            at=_timestamp(charge["created"]) if charge.get("created") else None,
        )


@dataclass(frozen=True, kw_only=True)
class CheckoutSession:
    """A page where a person can pay, and its outcome."""

    id: str
    url: str
    status: str  # open, complete, expired
    payment_status: str  # paid, unpaid, no_payment_required
    amount_subtotal_cents: int  # before promotion and tax
    amount_total_cents: int
    discount_cents: int
    tax_cents: int
    tax_reason: str  # taxability_reason of the first line of tax
    billed_to: dict[str, Any]
    paid_with: PaidWith
    currency: str
    reference: str
    is_live_mode: bool
    expires_at: datetime
    payment_intent_id: str
    payment_intent_status: str
    charge_id: str
    metadata: Mapping[str, str]

    @classmethod
    def read(cls, data: Json) -> Self:
        """Read the JSON of a `checkout.session`, `payment_intent` expanded or not."""
        payment = data.get("payment_intent")
        details = data.get("total_details") or {}
        payment = payment if isinstance(payment, Mapping) else {"id": payment}
        return cls(
            id=data["id"],
            url=data.get("url") or "",
            status=data.get("status") or "",
            payment_status=data["payment_status"],
            amount_subtotal_cents=data.get("amount_subtotal") or 0,
            amount_total_cents=data.get("amount_total") or 0,
            discount_cents=details.get("amount_discount") or 0,
            tax_cents=details.get("amount_tax") or 0,
            tax_reason=_tax_reason(details),
            billed_to=_billed_to(data.get("customer_details") or {}),
            paid_with=PaidWith.read(payment.get("latest_charge")),
            currency=(data.get("currency") or "").upper(),
            reference=data.get("client_reference_id") or "",
            is_live_mode=data["livemode"],
            expires_at=_timestamp(data["expires_at"]),
            payment_intent_id=payment.get("id") or "",
            payment_intent_status=payment.get("status") or "",
            charge_id=_id(payment.get("latest_charge")),
            metadata=data.get("metadata") or {},
        )

    @property
    def is_paid(self) -> bool:
        """Whether Stripe says that nothing is left to pay."""
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
    """A charge of a card or account."""

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
    def read(cls, data: Json) -> Self:
        """Read the JSON of a `charge`."""
        return cls(
            id=data["id"],
            payment_intent_id=_id(data.get("payment_intent")),
            amount_cents=data["amount"],
            amount_refunded_cents=data["amount_refunded"],
            currency=data["currency"].upper(),
            is_disputed=data["disputed"],
            is_refunded=data["refunded"],
            is_live_mode=data["livemode"],
            balance_transaction_id=_id(data.get("balance_transaction")),
            metadata=data.get("metadata") or {},
        )


@dataclass(frozen=True, kw_only=True)
class Refund:
    """A refund of a charge."""

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
    failure_reason: str = ""
    failure_balance_transaction_id: str = ""

    @classmethod
    def read(cls, data: Json) -> Self:
        """Read the JSON of a `refund`."""
        return cls(
            id=data["id"],
            charge_id=_id(data.get("charge")),
            payment_intent_id=_id(data.get("payment_intent")),
            amount_cents=data["amount"],
            currency=data["currency"].upper(),
            status=data.get("status") or "",
            reason=data.get("reason") or "",
            created_at=_timestamp(data["created"]),
            balance_transaction_id=_id(data.get("balance_transaction")),
            metadata=data.get("metadata") or {},
            failure_reason=data.get("failure_reason") or "",
            failure_balance_transaction_id=_id(data.get("failure_balance_transaction")),
        )


@dataclass(frozen=True, kw_only=True)
class BalanceTransaction:
    """A change of Stripe's balance. Amounts are in the account's own currency."""

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
    def read(cls, data: Json) -> Self:
        """Read the JSON of a `balance_transaction`."""
        rate = data.get("exchange_rate")
        return cls(
            id=data["id"],
            type=data["type"],
            reporting_category=data.get("reporting_category") or "",
            amount_cents=data["amount"],
            fee_cents=data["fee"],
            net_cents=data["net"],
            currency=data["currency"].upper(),
            source_id=_id(data.get("source")),
            created_at=_timestamp(data["created"]),
            exchange_rate=None if rate is None else Decimal(str(rate)),
        )


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A dispute by a buyer's bank; `movements` are the funds it has moved so far."""

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
    def read(cls, data: Json) -> Self:
        """Read the JSON of a `dispute`."""
        due_by = (data.get("evidence_details") or {}).get("due_by")
        return cls(
            id=data["id"],
            charge_id=_id(data.get("charge")),
            payment_intent_id=_id(data.get("payment_intent")),
            amount_cents=data["amount"],
            currency=data["currency"].upper(),
            status=data["status"],
            reason=data.get("reason") or "",
            is_charge_refundable=data["is_charge_refundable"],
            evidence_due_by=_timestamp(due_by) if due_by else None,
            created_at=_timestamp(data["created"]),
            metadata=data.get("metadata") or {},
            movements=tuple(
                BalanceTransaction.read(transaction)
                for transaction in data.get("balance_transactions") or ()
            ),
        )

    @property
    def withdrawn_cents(self) -> int:
        """What the bank has withdrawn at some time, fees aside: all of it, or nothing yet."""
        return self.amount_cents if any(item.amount_cents < 0 for item in self.movements) else 0

    @property
    def reinstated_cents(self) -> int:
        """How much of that is back: by the ratio of the movements, in whatever currency they are.

        The highest sum that was out at one time stands for the dispute's amount, since a bank may
        withdraw, reinstate and withdraw again.
        """
        out = peak = Fraction(0)
        for movement in sorted(
            self.movements, key=lambda item: (item.created_at, item.amount_cents)
        ):
            out -= self._in_own_currency(movement)
            peak = max(peak, out)
        if not peak:
            return 0
        standing = round(self.amount_cents * max(out, Fraction(0)) / peak)
        # Two amounts rounded into another currency differ by a cent: that is no part withheld.
        is_rounding = standing <= 1 and self._is_converted
        return self.amount_cents - (0 if is_rounding else standing)

    def _in_own_currency(self, movement: BalanceTransaction) -> Fraction:
        cents = Fraction(movement.amount_cents)
        # Between withdrawal and reinstatement the rate may have changed, which the house bears.
        return cents / Fraction(movement.exchange_rate or 1) if self._is_converted else cents

    @property
    def _is_converted(self) -> bool:
        return all(item.exchange_rate and item.currency != self.currency for item in self.movements)


@dataclass(frozen=True, kw_only=True)
class FraudWarning:
    """A card issuer's early warning that a charge is probably fraudulent."""

    id: str
    charge_id: str
    payment_intent_id: str
    fraud_type: str
    is_actionable: bool
    created_at: datetime

    @classmethod
    def read(cls, data: Json) -> Self:
        """Read the JSON of a `radar.early_fraud_warning`."""
        return cls(
            id=data["id"],
            charge_id=_id(data.get("charge")),
            payment_intent_id=_id(data.get("payment_intent")),
            fraud_type=data["fraud_type"],
            is_actionable=data["actionable"] is True,
            created_at=_timestamp(data["created"]),
        )


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event; `payload` is all of it, `object` the object that it is about."""

    id: str
    type: str
    created_at: datetime
    is_live_mode: bool
    payload: Json

    @classmethod
    def read(cls, data: Json) -> Self:
        """Read the JSON of an `event`; KeyError, TypeError or ValueError if it is none."""
        if not isinstance(data["data"]["object"], Mapping):
            raise TypeError("an event about no object")
        return cls(
            id=_text(data["id"]),
            type=_text(data["type"]),
            created_at=_timestamp(data["created"]),
            is_live_mode=data["livemode"] is True,
            payload=data,
        )

    @property
    def object(self) -> Json:
        """The object that it is about, as it was when the event was made."""
        value = (self.payload.get("data") or {}).get("object")
        return value if isinstance(value, Mapping) else {}

    @property
    def object_id(self) -> str:
        """The id of that object."""
        return _id(self.object)

    @property
    def related_ids(self) -> list[str]:
        """Every id by which staff may search for the event."""
        names = ("payment_intent", "charge", "client_reference_id")
        ids = {self.object_id, *(_id(self.object.get(name)) for name in names)}
        return sorted(ids - {""})


def _id(value: Any) -> str:
    """Return the id of a reference, which Stripe sends as an id or, expanded, as an object."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value[:MAX_ID_LENGTH] if isinstance(value, str) else ""


def _billed_to(details: Json) -> dict[str, Any]:
    """Return what Checkout learned of the buyer, without what it left empty."""
    address = {
        name: _short(value, 200) for name, value in (details.get("address") or {}).items() if value
    }
    tax_ids = [
        {"type": _short(tax_id.get("type"), 32), "value": _short(tax_id.get("value"), 64)}
        for tax_id in details.get("tax_ids") or ()
    ]
    found = {
        "name": _short(details.get("business_name") or details.get("name"), 200),
        "email": _short(details.get("email"), 254),
        "address": address,
        "tax_ids": tax_ids,
    }
    return {name: value for name, value in found.items() if value}


def _tax_reason(total_details: Json) -> str:
    taxes = (total_details.get("breakdown") or {}).get("taxes") or ()
    return next((_short(tax.get("taxability_reason"), 32) for tax in taxes), "")


def _short(value: Any, length: int) -> str:
    return value[:length] if isinstance(value, str) else ""


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_ID_LENGTH:
        raise TypeError("not an id")
    return value


def _timestamp(seconds: Any) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("not a moment") from error
