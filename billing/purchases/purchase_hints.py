"""How an agent that runs out of credits gets more: commands that it can run as they are."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from billing.purchases import command_effects, payment_methods
from billing.purchases.command_effects import CommandEffectOut
from billing.purchases.payment_methods import PaymentMethod
from imageskill.lib import clock, ids
from imageskill.lib.errors import Recovery
from imageskill.lib.schemas import Data

_QUOTE_CREDITS = 500
_LOW_CREDITS = 20  # about two images of a good model
_INSPECT = "image-skill credits methods --json"
_PACKS = "image-skill credits packs list --json"


@dataclass(frozen=True, slots=True)
class CreditNeed:
    """How urgently an agent needs credits: from 0, not at all, to 100, it can't go on without."""

    score: int
    urgency: str
    reason: str


_NO_NEED = CreditNeed(0, "available", "available")
_REFUSED = CreditNeed(100, "blocked", "insufficient_credits")


class TopUpStepOut(Data):
    """One step to credits; a template where it needs what the step before answers."""

    step: str
    command: str
    copy_runnable: bool
    effect: CommandEffectOut


class TopUpWorkflowOut(Data):
    """The steps to credits, in their order."""

    steps: list[TopUpStepOut]


class TopUpOut(Data):
    """How to get credits, and how urgent that is."""

    available: bool
    recommended: bool
    recommendation_reason: str
    urgency: str
    urgency_score: int
    urgency_reasons: list[str]
    path: str = Field(description="Whether the agent can pay by itself or hands over to a person")
    preferred_method: str | None
    preferred_payment_method: str | None = Field(description="The same as preferred_method")
    first_command: str = Field(description="Spends nothing and creates nothing")
    quote_command: str
    commands: dict[str, str]
    workflow: TopUpWorkflowOut


class SelfFundOut(Data):
    """How an agent gets more credits after what it just did.

    Need and urgency are null where the answer did not read the balance.
    """

    purpose: Literal["top_up_credits"]
    available: bool
    recommended: bool | None
    recommendation_reason: str | None
    urgency: str | None
    urgency_score: int | None
    urgency_reasons: list[str]
    path: str
    payment_method: str | None
    live_money: bool
    first_safe_command: str
    first_safe_command_effect: CommandEffectOut
    inspect_methods_command: str
    inspect_packs_command: str
    quote_command: str | None
    quote_command_copy_runnable: bool
    buy_command: str | None
    status_command: str | None
    fallback_quote_command: str | None
    fallback_buy_command: str | None


def assess_need(*, preview: int, paid: int, owed: int, is_out_of_jobs: bool = False) -> CreditNeed:
    """Return the need for credits, from the balances and whether the day's jobs are used up."""
    available = preview + paid
    if owed:
        return CreditNeed(100, "blocked", "credits_owed")
    if not available:
        return CreditNeed(100, "blocked", "credits_depleted")
    if is_out_of_jobs:
        return CreditNeed(100, "blocked", "daily_job_cap_reached")
    if available < _LOW_CREDITS:
        return CreditNeed(80, "near_wall", "low_remaining_credits")
    return _NO_NEED


def build_top_up(*, preview: int, paid: int, owed: int, is_out_of_jobs: bool = False) -> TopUpOut:
    """Return how to buy credits, and whether to do it now, as quota and refusals carry it."""
    return _build(assess_need(preview=preview, paid=paid, owed=owed, is_out_of_jobs=is_out_of_jobs))


def build_self_fund(need: CreditNeed | None) -> SelfFundOut:
    """Return how to get more credits; `need` is None where the balance was not read."""
    method, commands = payment_methods.preferred(), _commands()
    return SelfFundOut(
        purpose="top_up_credits",
        available=method is not None,
        recommended=None if need is None else method is not None and need.score > 0,
        recommendation_reason=None if need is None else need.reason,
        urgency=None if need is None else need.urgency,
        urgency_score=None if need is None else need.score,
        urgency_reasons=_reasons(need),
        path=payment_methods.path_of(method),
        payment_method=None if method is None else method.method_id,
        live_money=method is not None and method.has_live_money,
        first_safe_command=_INSPECT,
        first_safe_command_effect=command_effects.INSPECT,
        inspect_methods_command=_INSPECT,
        inspect_packs_command=_PACKS,
        quote_command=commands["quote"] if method else None,
        quote_command_copy_runnable=method is not None,
        buy_command=commands.get("buy"),
        status_command=commands["status"] if method else None,
        fallback_quote_command=commands.get("fallback_quote"),
        fallback_buy_command=commands.get("fallback_buy"),
    )


def _build(need: CreditNeed) -> TopUpOut:
    method, commands = payment_methods.preferred(), _commands()
    return TopUpOut(
        available=method is not None,
        recommended=method is not None and need.score > 0,
        recommendation_reason=need.reason,
        urgency=need.urgency,
        urgency_score=need.score,
        urgency_reasons=_reasons(need),
        path=payment_methods.path_of(method),
        preferred_method=None if method is None else method.method_id,
        preferred_payment_method=None if method is None else method.method_id,
        first_command=_INSPECT,
        quote_command=commands["quote"],
        commands=commands,
        workflow=TopUpWorkflowOut(steps=_steps(method, commands)),
    )


def _reasons(need: CreditNeed | None) -> list[str]:
    return [need.reason] if need is not None and need.score else []


def _commands() -> dict[str, str]:
    """Return the commands that lead to credits, with a second payment method where there is one."""
    method, fallback = payment_methods.preferred(), payment_methods.fallback()
    commands = {"inspect_methods": _INSPECT, "inspect_packs": _PACKS, "quote": _INSPECT}
    if method is not None and fallback is not None:
        commands |= {
            "quote": _quote_command(method.method_id),
            "buy": payment_methods.buy_command(method.method_id),
            "fallback_quote": _quote_command(fallback.method_id),
            "fallback_buy": payment_methods.buy_command(fallback.method_id),
        }
    return commands | {"status": payment_methods.status_command()}


def _steps(method: PaymentMethod | None, commands: dict[str, str]) -> list[TopUpStepOut]:
    inspect = command_effects.INSPECT
    steps = [("inspect_methods", True, inspect)]
    if method is not None:
        live = method.has_live_money
        steps += [
            ("quote", True, command_effects.of_quote(live_money=live)),
            ("buy", False, command_effects.of_buy(live_money=live)),
            ("status", False, inspect),
        ]
    return [
        TopUpStepOut(step=name, command=commands[name], copy_runnable=is_runnable, effect=effect)
        for name, is_runnable, effect in steps
    ]


def recovery(*, preview: int, paid: int, owed: int) -> Recovery:
    """Return how a caller that was refused for want of credits gets some.

    Whatever is left, it was too little: buying is always recommended here.
    """
    credit_need = assess_need(preview=preview, paid=paid, owed=owed)
    top_up = _build(credit_need if credit_need.urgency == _REFUSED.urgency else _REFUSED)
    return {"suggested_command": top_up.quote_command, "top_up": top_up.model_dump()}


def _quote_command(method_id: str) -> str:
    """Return the command that asks for a quote, with a fresh key of the form that clients use.

    By credits, not by pack: finding out which packs are offered would take a statement.
    """
    key = f"quote-{int(clock.now().timestamp() * 1000)}-{ids.random_text(8).lower()}"
    return (
        f"image-skill credits quote --credits {_QUOTE_CREDITS} --payment-method {method_id}"
        f" --idempotency-key {key} --json"
    )
