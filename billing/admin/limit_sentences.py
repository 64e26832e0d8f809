"""Sentences about what a member of staff may do alone, for the pages of their actions."""

from collections.abc import Sequence

from billing.limits.staff_limits import Allowance, Allowances
from imageskill.lib import amounts
from imageskill.lib.admin.formatting import format_count

_ALONE = "You may do this alone."
_SECOND_PERSON = "A second person has to approve it."


def of_refund(allowances: Allowances, cents: int) -> Sequence[str]:
    """Return how much of a person's limits on refunds is used, and what follows for this one."""
    used_today, limit_today = map(_dollars, allowances.person)
    used, limit = map(_dollars, allowances.subject)
    return (
        f"{used_today} of your {limit_today} today is used.",
        f"{used} of the {limit} that you may refund alone of this payment is used.",
        _ALONE if allowances.cover(cents) else _SECOND_PERSON,
    )


def of_goodwill(allowances: Allowances, credits: int) -> Sequence[str]:
    """Return how much of a person's limits on goodwill is used, and what follows for this one."""
    return (
        f"{_used(allowances.person)} of your own in 30 days is used.",
        f"{_used(allowances.subject)} for this organization in 30 days is used.",
        _ALONE if allowances.cover(credits) else _SECOND_PERSON,
    )


def _used(allowance: Allowance) -> str:
    return f"{allowance.used:,} of {format_count(allowance.limit, 'credit')}"


def _dollars(cents: int) -> str:
    return amounts.format_amount(cents, with_symbol=True)
