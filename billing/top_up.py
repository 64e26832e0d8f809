"""How an agent that runs out of credits gets more: commands that it can run as they stand."""

from dataclasses import dataclass
from typing import Any

from billing import payment_methods
from imageskill.errors import Recovery
from imageskill.lib import clock, ids

DEFAULT_PACK = "starter-500"
INSPECT = "image-skill credits methods --json"
_LOW_CREDITS = 20  # about two images of a good model


@dataclass(frozen=True, slots=True)
class Need:
    """How badly an agent needs credits: 0 not at all, 100 it can't go on without."""

    score: int
    urgency: str
    reasons: tuple[str, ...]


_NONE = Need(0, "available", ())


def need(*, preview: int, paid: int, owed: int) -> Need:
    """Judge the need for credits from the balances."""
    there = preview + paid
    if owed:
        return Need(100, "blocked", ("credits_owed",))
    if not there:
        return Need(100, "blocked", ("credits_depleted",))
    if there < _LOW_CREDITS:
        return Need(80, "near_wall", ("low_remaining_credits",))
    return _NONE


def quote_command(*, method: str) -> str:
    """Write the command that asks for a quote, with a fresh key of the form that clients make."""
    key = f"quote-{int(clock.now().timestamp() * 1000)}-{ids.random_text(8).lower()}"
    return (
        f"image-skill credits quote --pack {DEFAULT_PACK} --payment-method {method}"
        f" --idempotency-key {key} --json"
    )


def offer(*, preview: int, paid: int, owed: int) -> dict[str, Any]:
    """Lay out how to buy credits, and whether to do it now, as quota and refusals carry it."""
    judged = need(preview=preview, paid=paid, owed=owed)
    method = payment_methods.preferred()
    quote = INSPECT if method is None else quote_command(method=method.method_id)
    return {
        "available": method is not None,
        "recommended": judged.score > 0,
        "recommendation_reason": judged.reasons[0] if judged.reasons else "available",
        "urgency": judged.urgency,
        "urgency_score": judged.score,
        "urgency_reasons": list(judged.reasons),
        "preferred_method": None if method is None else method.method_id,
        "quote_command": quote,
        "commands": {
            "inspect_methods": INSPECT,
            "inspect_packs": "image-skill credits packs list --json",
            "quote": quote,
            "buy": _buy_command(method),
            "status": "image-skill credits status --quote-id QUOTE_ID --json",
        },
    }


def _buy_command(method: payment_methods.Method | None) -> str:
    if method is None:
        return INSPECT
    verb = "buy --provider stripe" if method.needs_browser else "fake-purchase"
    return f"image-skill credits {verb} --quote-id QUOTE_ID --idempotency-key KEY --json"


def recovery(*, preview: int, paid: int, owed: int) -> Recovery:
    """Tell a caller that was refused for want of credits how to get some."""
    top_up = offer(preview=preview, paid=paid, owed=owed)
    return {"suggested_command": top_up["quote_command"], "top_up": top_up}
