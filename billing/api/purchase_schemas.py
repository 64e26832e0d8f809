"""What quotes, purchases and their status take and answer, as the contract has it."""

from typing import Literal

from pydantic import Field

from billing.api.offer_schemas import QuotedPackOut
from billing.purchases.command_effects import CommandEffectOut
from billing.purchases.idempotency_keys import MAX_LENGTH
from billing.purchases.purchase_status import PurchaseState
from billing.quota import LimitsOut
from imageskill.lib.schemas import Body, Data

RefundStatusName = Literal[
    "pending_approval",
    "rejected",
    "expired",
    "approved",
    "sent",
    "pending",
    "requires_action",
    "succeeded",
    "failed",
]
IdempotencyKeyField = Field(
    None, description=f"Makes a retry harmless; 1 to {MAX_LENGTH} printable characters"
)


class QuoteIn(Body):
    """Either a pack or an exact number of credits."""

    credits: int | None = Field(None, description="1 to 5000")
    pack_id: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    payment_method: str = Field("fake", min_length=1, max_length=64)
    idempotency_key: str | None = IdempotencyKeyField


class PurchaseIn(Body):
    """A quote, to be bought."""

    quote_id: str = Field(max_length=128)
    idempotency_key: str | None = IdempotencyKeyField


class RecommendedBuyOut(Data):
    """How to buy a quote, under a key that stays the same however often this is read."""

    purpose: Literal["complete_credit_top_up"]
    recommendation_reason: str
    quote_id: str
    method_id: str
    provider: str
    idempotency_key: str
    purchase_idempotency_key: str = Field(description="The same as idempotency_key")
    command: str
    buy_command: str
    buy_command_copy_runnable: bool
    status_command: str
    status_command_copy_runnable: bool
    status_command_after_payment: str
    status_command_after_payment_copy_runnable: bool
    grants_credits: bool
    requires_auth: bool
    live_money: bool
    requires_browser: bool
    agent_settleable: bool
    human_handoff_required: bool
    command_effect: CommandEffectOut


class QuoteNextOut(Data):
    """What to do with a quote: buy while that is possible, else nothing."""

    recommended_buy: RecommendedBuyOut | None = Field(
        None,
        description="Absent once the quote is paid or can't be paid any more",
        exclude_if=lambda value: value is None,
    )


class QuoteOut(Data):
    """A price that holds for a while."""

    quote_id: str
    state: Literal["created", "used", "expired"]
    credits: int
    price_amount_cents: int
    currency: str
    expires_at: str
    accepted_payment_method: str
    idempotency_key: str
    pack_id: str | None
    pack: QuotedPackOut | None
    live_money: bool
    environment: str
    next_actions: QuoteNextOut


class PurchaseOut(Data):
    """What the fake rail granted."""

    state: PurchaseState
    quote_id: str
    receipt_id: str
    receipt_number: str
    credit_event_id: str
    credits_granted: int
    amount_cents: int
    currency: str
    accepted_payment_method: str
    idempotency_key: str
    balance_after: int = Field(description="Paid credits after the purchase")
    owed_settled_credits: int = Field(description="Part of the purchase that settled a debt")
    live_money: bool
    environment: str


class CheckoutUrls(Data):
    """Where a person pays: our short link, and Stripe's own with its fragment."""

    checkout_handoff_url: str
    checkout_compact_url: str | None
    checkout_url: str | None


class PayNextOut(Data):
    """A person has to pay; then poll the status."""

    human_action: Literal["open_checkout_url"]
    checkout_handoff_url: str
    checkout_compact_url: str | None
    fallback_checkout_url: str | None
    status_command: str
    retry_after_seconds: int
    after_payment: str


class PollNextOut(Data):
    """The payment is under way: poll the status."""

    retry_after_seconds: int


class CommandNextOut(Data):
    """Nothing is open: the command that leads on from here."""

    suggested_command: str


class SessionOut(CheckoutUrls):
    """A Checkout session that waits for a person."""

    state: PurchaseState
    quote_id: str
    payment_attempt_id: str
    provider: Literal["stripe"]
    accepted_payment_method: str
    checkout_session_id: str | None
    credits: int
    amount_cents: int
    currency: str
    expires_at: str
    idempotency_key: str
    live_money: bool
    environment: str
    next: PayNextOut


class AttemptOut(CheckoutUrls):
    """A payment attempt."""

    payment_attempt_id: str
    provider: Literal["stripe"]
    checkout_session_id: str | None
    attempt_status: str = Field(description="requires_action while a person can pay")
    environment: str
    created_at: str
    expires_at: str


class ReceiptOut(Data):
    """A receipt, with what was reversed of it since. Stripe's ids are for staff only."""

    receipt_id: str
    receipt_number: str
    credit_event_id: str
    state: PurchaseState
    credits: int
    credits_granted: int
    owed_settled_credits: int = Field(description="Part of the purchase that settled a debt")
    amount_cents: int
    discount_cents: int
    currency: str
    accepted_payment_method: str
    balance_after: int = Field(description="Paid credits after the purchase")
    live_money: bool
    environment: str
    issued_at: str
    refunded_credits: int
    disputed_credits: int


class RefundOut(Data):
    """A refund of the purchase, as it stands."""

    payment_reversal_id: str | None = Field(description="Null until Stripe has the refund")
    status: RefundStatusName = Field(
        description="Credits leave the balance when it has succeeded; requires_action waits for "
        "the bank details of the person who paid; failed includes canceled"
    )
    failure: str | None = Field(description="Why it failed, in words")
    amount_cents: int
    currency: str
    requested_at: str


class CreditEventOut(Data):
    """The grant that a receipt stands for, as activity lists it."""

    credit_event_id: str
    type: Literal["credits.payment_backed_granted"]
    credits: int
    balance_after: int
    created_at: str


class ProviderEventOut(Data):
    """The newest event of the payment provider, by type only."""

    type: str
    received_at: str


class StatusOut(Data):
    """A purchase: its state, and every object behind it."""

    state: PurchaseState
    quote: QuoteOut
    payment_attempt: AttemptOut | None
    receipt: ReceiptOut | None
    refunds: list[RefundOut] = Field(description="Of all that was paid for the quote, oldest first")
    credit_event: CreditEventOut | None
    provider_event: ProviderEventOut | None
    limits: LimitsOut
    next: PayNextOut | PollNextOut | CommandNextOut
    next_actions: QuoteNextOut
