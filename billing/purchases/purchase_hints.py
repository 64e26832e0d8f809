"""How an agent that runs out of credits gets more: commands that it can run as they are."""

from dataclasses import dataclass

from billing.purchases import payment_methods
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


class TopUpOut(Data):
    """How to get credits, and how urgent that is."""

    available: bool
    recommended: bool
    recommendation_reason: str
    urgency: str
    urgency_score: int
    urgency_reasons: list[str]
    preferred_method: str | None
    quote_command: str
    commands: dict[str, str]


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


def _build(credit_need: CreditNeed) -> TopUpOut:
    method = payment_methods.preferred()
    quote = _INSPECT if method is None else _quote_command(method.method_id)
    commands = {"inspect_methods": _INSPECT, "inspect_packs": _PACKS, "quote": quote}
    if method is not None:
        commands["buy"] = payment_methods.buy_command(method.method_id)
    return TopUpOut(
        available=method is not None,
        recommended=method is not None and credit_need.score > 0,
        recommendation_reason=credit_need.reason,
        urgency=credit_need.urgency,
        urgency_score=credit_need.score,
        urgency_reasons=[credit_need.reason] if credit_need.score else [],
        preferred_method=None if method is None else method.method_id,
        quote_command=quote,
        commands=commands | {"status": payment_methods.status_command()},
    )


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
