"""What payment methods and packs answer, field by field as the contract has it."""

from typing import Literal

from pydantic import Field

from billing.purchases.command_effects import CommandEffectOut
from imageskill.lib.schemas import Data, ExactNumber


class MethodRecoveryOut(Data):
    """Commands that buy with this method or, where it can't be used here, with one that can."""

    quote_command: str | None
    purchase_command: str | None
    status_command: str | None


class MethodLimitsOut(Data):
    """The smallest and the largest amount that the method takes."""

    min_amount_cents: int
    max_amount_cents: int


class MethodOut(Data):
    """A payment method."""

    method_id: str
    status: Literal["available", "unavailable"]
    available: bool
    quoteable: bool
    purchasable: bool
    unavailable_reason: str | None
    recovery: MethodRecoveryOut
    live_money: bool
    environment: str
    buyer_modes: list[str]
    requires_browser: bool
    agent_initiated: bool
    agent_settleable: bool
    settlement_blocker: str | None
    default_pack_id: str | None
    purchase_endpoint: str | None
    limits: MethodLimitsOut


class RecommendedQuoteOut(Data):
    """How to begin: a quote, which costs nothing, and what follows it."""

    purpose: Literal["quote_credit_top_up"]
    recommendation_reason: str
    method_id: str
    pack_id: str | None
    command: str
    quote_command: str
    quote_command_copy_runnable: bool
    buy_command: str | None
    status_command: str | None
    requires_auth: bool
    live_money: bool
    requires_browser: bool
    agent_settleable: bool
    command_effect: CommandEffectOut


class MethodsNextOut(Data):
    """What to do next; null while no payment method can be used here."""

    recommended_quote: RecommendedQuoteOut | None


class Methods(Data):
    """All known payment methods."""

    contract_version: str
    credit_unit_cents: int
    currency: str
    quote_endpoint: str
    packs_endpoint: str
    status_endpoint: str
    methods: list[MethodOut]
    next_actions: MethodsNextOut


class QuotedPackOut(Data):
    """A pack, as it was when its quote was made."""

    pack_id: str
    display_name: str
    credits: int
    amount_cents: int
    amount_usd: ExactNumber
    price_usd: ExactNumber = Field(description="The same as amount_usd")
    currency: str


class PackOut(QuotedPackOut):
    """A named amount."""

    name: str


class CustomQuotesOut(Data):
    """The bounds of a quote for an exact number of credits."""

    supported: bool
    min_credits: int
    max_credits: int


class MethodBoundsOut(CustomQuotesOut):
    """The bounds of a quote for an exact number of credits, by one payment method."""

    payment_method: str


class Packs(Data):
    """All packs on offer."""

    credit_unit_cents: int
    credit_unit_usd: ExactNumber
    currency: str
    default_pack_id: str | None
    packs: list[PackOut]
    custom_quotes: CustomQuotesOut
    custom_quotes_by_method: list[MethodBoundsOut]
