"""How an agent that runs out of credits gets more: commands that it can run as they stand."""

from dataclasses import dataclass
from typing import Any

from imageskill.errors import Recovery
from imageskill.lib import clock, ids

DEFAULT_PACK = "starter-500"
STRIPE = "stripe_checkout"
_LOW = 20  # credits: about two images of the better models


@dataclass(frozen=True, slots=True)
class Need:
    """How badly an agent needs credits: 0 not at all, 100 it can't go on."""

    score: int
    reasons: tuple[str, ...]

    @property
    def urgency(self) -> str:
        """The score in a word."""
        if self.score >= 80:
            return "high"
        return "medium" if self.score >= 40 else "none"


def quote_command(*, method: str = STRIPE) -> str:
    """Write the command that asks for a quote, with a fresh key of the form clients make."""
    key = f"quote-{int(clock.now().timestamp() * 1000)}-{ids.random_text(8).lower()}"
    terms = f"--pack {DEFAULT_PACK}" if method == STRIPE else "--credits 500"
    return (
        f"image-skill credits quote {terms} --payment-method {method}"
        f" --idempotency-key {key} --json"
    )


def need(*, preview: int, paid: int, owed: int) -> Need:
    """Judge the need for credits from the balances."""
    if owed:
        return Need(100, ("credits_owed",))
    there = preview + paid
    if there <= 0:
        return Need(100, ("no_credits",))
    if there < _LOW:
        return Need(60, ("low_credits",))
    return Need(0, ())


def offer(*, preview: int, paid: int, owed: int) -> dict[str, Any]:
    """Lay out the offer to buy credits, as quota and refusals carry it."""
    judged = need(preview=preview, paid=paid, owed=owed)
    command = quote_command()
    return {
        "available": True,
        "recommended": judged.score > 0,
        "recommendation_reason": judged.reasons[0] if judged.reasons else None,
        "urgency": judged.urgency,
        "urgency_score": judged.score,
        "urgency_reasons": list(judged.reasons),
        "preferred_method": STRIPE,
        "quote_command": command,
        "commands": {
            "methods": "image-skill credits methods --json",
            "packs": "image-skill credits packs list --json",
            "quote": command,
            "quota": "image-skill usage quota --json",
        },
    }


def recovery(*, preview: int, paid: int, owed: int) -> Recovery:
    """Tell a caller that was refused for want of credits how to get some."""
    top_up = offer(preview=preview, paid=paid, owed=owed)
    return {"suggested_command": top_up["quote_command"], "top_up": top_up}
