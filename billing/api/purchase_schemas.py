"""What buying takes and answers, field by field as the contract has it."""

from typing import Any

from pydantic import Field

from billing.api.account_schemas import LimitsOut
from billing.purchases.idempotency_keys import MAX_LENGTH
from imageskill.lib.schemas import Body, Data

IdempotencyKeyField = Field(
    None, description=f"Makes a retry harmless; 1 to {MAX_LENGTH} characters, none of control"
)


class MethodOut(Data):
    """A way to pay."""

    method_id: str
    status: str
    available: bool
    quoteable: bool
    purchasable: bool
    unavailable_reason: str | None
    recovery: dict[str, str | None]
    live_money: bool
    environment: str
    buyer_modes: list[str]
    requires_browser: bool
    agent_initiated: bool
    agent_settleable: bool
    settlement_blocker: str | None
    default_pack_id: str | None
    purchase_endpoint: str | None
    limits: dict[str, int]


class Methods(Data):
    """All ways to pay that are known."""

    contract_version: str
    credit_unit_cents: int
    currency: str
    quote_endpoint: str
    packs_endpoint: str
    status_endpoint: str
    methods: list[MethodOut]
    next_actions: dict[str, Any]


class PackOut(Data):
    """A named amount."""

    pack_id: str
    name: str
    display_name: str
    credits: int
    amount_cents: int
    amount_usd: float
    currency: str


class Packs(Data):
    """All packs on offer."""

    credit_unit_cents: int
    credit_unit_usd: float
    currency: str
    default_pack_id: str | None
    packs: list[PackOut]
    custom_quotes: dict[str, Any]


class QuoteIn(Body):
    """Either a pack or an exact number of credits."""

    credits: int | None = Field(None, description="1 to 5000")
    pack_id: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    payment_method: str = Field("fake", min_length=1, max_length=64)
    idempotency_key: str | None = IdempotencyKeyField


class QuoteOut(Data):
    """A price that holds for a while."""

    quote_id: str
    state: str
    credits: int
    price_amount_cents: int
    currency: str
    expires_at: str
    accepted_payment_method: str
    idempotency_key: str
    pack_id: str | None
    pack: dict[str, Any] | None
    live_money: bool
    environment: str
    next_actions: dict[str, Any]


class PurchaseIn(Body):
    """A quote, to be bought."""

    quote_id: str = Field(max_length=128)
    idempotency_key: str | None = IdempotencyKeyField


class PurchaseOut(Data):
    """What the fake rail granted."""

    state: str
    quote_id: str
    receipt_id: str
    receipt_number: str
    credit_event_id: str
    credits_granted: int
    amount_cents: int
    currency: str
    accepted_payment_method: str
    idempotency_key: str
    balance_after: int
    owed_settled_credits: int
    live_money: bool
    environment: str


class SessionOut(Data):
    """A Checkout session that waits for a person."""

    state: str
    quote_id: str
    payment_attempt_id: str
    provider: str
    accepted_payment_method: str
    checkout_session_id: str | None
    checkout_handoff_url: str
    checkout_compact_url: str | None
    checkout_url: str | None
    credits: int
    amount_cents: int
    currency: str
    expires_at: str
    idempotency_key: str
    live_money: bool
    environment: str
    next: dict[str, Any]


class StatusOut(Data):
    """How a purchase stands."""

    state: str
    quote: dict[str, Any]
    payment_attempt: dict[str, Any] | None
    receipt: dict[str, Any] | None
    credit_event: dict[str, Any] | None
    provider_event: dict[str, Any] | None
    limits: LimitsOut
    next: dict[str, Any]
    next_actions: dict[str, Any]
