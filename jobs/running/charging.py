"""What a finished job is charged. Pure: the plan's figures and the provider's report go in.

The price that was planned stands, whatever staff change meanwhile; a price by usage follows the
provider's report, and never above the hold.
"""

from dataclasses import dataclass
from decimal import Decimal

from billing import pricing


@dataclass(frozen=True, kw_only=True)
class JobCharge:
    """Credits to capture, the provider's cost behind them, and what it cost above the plan.

    `excess_usd` is the house's to bear: more would have been due than was held.
    """

    credits: int
    provider_usd: Decimal | None
    excess_usd: Decimal | None = None


def compute_charge(
    *,
    planned_usd: Decimal | None,
    reported_usd: Decimal | None,
    is_usage_priced: bool,
    credits_held: int,
    outputs: int,
    planned_outputs: int,
    margin: Decimal,
) -> JobCharge:
    """Price a job that delivered `outputs` of `planned_outputs` images."""
    # Only a price by usage follows the report: where the price was known, the caller agreed to it.
    if is_usage_priced and reported_usd is not None:
        due = pricing.debit(reported_usd, margin=margin)
        # Never above the hold: it is the most that the caller agreed to and the ledger set aside.
        excess = reported_usd - (planned_usd or 0) if due > credits_held else None
        return JobCharge(
            credits=min(due, credits_held), provider_usd=reported_usd, excess_usd=excess
        )
    provider_usd = planned_usd if reported_usd is None else reported_usd
    if planned_usd is None or outputs >= planned_outputs:
        return JobCharge(credits=credits_held, provider_usd=provider_usd)
    # Fewer images than planned: the share is priced like a job of its own, rounding up included.
    due = pricing.debit(planned_usd * outputs / planned_outputs, margin=margin)
    return JobCharge(credits=min(due, credits_held), provider_usd=provider_usd)
