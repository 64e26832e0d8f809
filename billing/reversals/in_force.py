"""What refunds and disputes of one payment take: derived from facts, whatever the order of news.

Pure arithmetic. Refunds come first, then disputes, each group by Stripe's `created`, then id. In
cents each gets at most what is left of the payment; in credits, a proportion of what was granted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["refund", "dispute"]
State = Literal["seen", "applied", "undone", "lost", "closed", "rejected"]
UnmatchedState = Literal[
    "open", "refunding", "partly_refunded", "refunded", "disputed", "lost", "closed"
]

REFUND_FAILED = frozenset({"failed", "canceled"})
REFUND_PENDING = frozenset({"pending", "requires_action"})
# A dispute in one of these, whose funds were not withdrawn, has ended.
_DISPUTE_ENDED = frozenset({"won", "lost", "warning_closed", "prevented"})

OTHER_CURRENCY = "other_currency"
REVERSED_ALREADY = "reversed_already"
EXCEEDS_RECEIPT = "exceeds_receipt"


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """What was paid, after a promotion and tax included, and the credits granted for it."""

    credits: int
    cents: int
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """A refund or dispute as it is at Stripe. Funds are those that the bank moved, without fees."""

    id: str
    kind: Kind
    status: str
    cents: int
    currency: str
    created_at: datetime
    withdrawn_cents: int = 0
    reinstated_cents: int = 0

    @property
    def standing_cents(self) -> int:
        """The part of the payment that is gone by it, whether or not that much was paid."""
        if self.kind == "refund":
            return self.cents if self.status == "succeeded" else 0
        return max(0, self.withdrawn_cents - self.reinstated_cents)

    @property
    def is_lost(self) -> bool:
        """Whether funds are gone for good; those kept of a dispute that was won in part are."""
        is_decided = self.status == "lost" or (self.status == "won" and self.reinstated_cents > 0)
        return self.kind == "dispute" and is_decided and self.standing_cents > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """What a refund or dispute takes now: its share, what exceeds the payment, and its state."""

    fact: Fact
    cents: int
    credits: int
    excess_cents: int
    excess_credits: int
    state: State
    problem: str = ""


def derive(payment: Payment, facts: Iterable[Fact]) -> list[Effect]:
    """Return the effect of each refund and dispute, in the order in which they take."""
    effects: list[Effect] = []
    total = 0  # cents in force so far
    for fact in sorted(facts, key=_order):
        is_comparable = fact.currency == payment.currency
        standing = fact.standing_cents if is_comparable else 0
        cents = min(standing, payment.cents - total)
        excess = standing - cents
        state, problem = _state(fact, cents, excess, is_comparable=is_comparable)
        credits = credits_for(payment, total + cents) - credits_for(payment, total)
        effects.append(
            Effect(
                fact=fact,
                cents=cents,
                credits=credits,
                excess_cents=excess,
                excess_credits=_excess_credits(payment, excess),
                state=state,
                problem=problem,
            )
        )
        total += cents
    return effects


def credits_for(payment: Payment, cents: int) -> int:
    """Return how many credits so many cents in force take: the last cent takes the last credit."""
    return payment.credits * cents // payment.cents if payment.cents else 0


def derive_unmatched(
    *, cents: int, currency: str, facts: Iterable[Fact], is_under_way: bool
) -> UnmatchedState:
    """Return the state of a payment that granted nothing; `is_under_way` says a refund was sent."""
    facts = [fact for fact in facts if fact.currency == currency]
    refunds = [fact for fact in facts if fact.kind == "refund"]
    disputes = [fact for fact in facts if fact.kind == "dispute"]
    refunded = sum(fact.standing_cents for fact in refunds)
    lost = sum(fact.standing_cents for fact in disputes if fact.is_lost)
    if lost and refunded + lost >= cents:
        return "lost"
    if any(is_blocking(fact) and not fact.is_lost for fact in disputes):
        return "disputed"
    if refunded >= cents:
        return "refunded"
    if is_under_way or any(fact.status in REFUND_PENDING for fact in refunds):
        return "refunding"
    return "partly_refunded" if refunded + lost else "open"


def is_blocking(dispute: Fact) -> bool:
    """Return whether a dispute keeps its charge from a refund: any that is open and no inquiry."""
    if dispute.standing_cents:
        return True
    is_asked = dispute.status.startswith("warning_") or dispute.status in _DISPUTE_ENDED
    return not is_asked and not dispute.withdrawn_cents


def _order(fact: Fact) -> tuple[bool, datetime, str]:
    return (fact.kind == "dispute", fact.created_at, fact.id)


def _excess_credits(payment: Payment, cents: int) -> int:
    return -(-payment.credits * cents // payment.cents) if payment.cents else 0


def _state(fact: Fact, cents: int, excess: int, *, is_comparable: bool) -> tuple[State, str]:
    """Return the state of a refund or dispute, and what finance has to review about it."""
    if not fact.standing_cents:
        return _state_without_funds(fact), ""
    if not is_comparable:
        return "rejected", OTHER_CURRENCY
    if not cents:
        return "rejected", REVERSED_ALREADY
    return "lost" if fact.is_lost else "applied", EXCEEDS_RECEIPT if excess else ""


def _state_without_funds(fact: Fact) -> State:
    if fact.kind == "refund":
        return "closed" if fact.status in REFUND_FAILED else "seen"
    if fact.withdrawn_cents:
        return "undone"
    return "closed" if fact.status in _DISPUTE_ENDED else "seen"
