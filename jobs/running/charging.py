"""What a finished job is charged. Pure: the plan's figures and the provider's report go in.

The price that was planned stands, whatever staff change meanwhile; a price by usage follows the
provider's report, and never above the hold. Of a batch of which a part was delivered, that part is
priced like a job of its own; what else the provider bills is the house's.
"""

from dataclasses import dataclass
from decimal import Decimal

from billing import pricing


@dataclass(frozen=True, kw_only=True)
class JobCharge:
    """Credits to capture, and the provider's cost of what was delivered.

    `excess_usd` is what that cost above the plan, where more would have been due than was held;
    `undelivered_usd` is what the provider bills for outputs that could not be delivered. Both are
    the house's to bear.
    """

    credits: int
    provider_usd: Decimal | None
    excess_usd: Decimal | None = None
    undelivered_usd: Decimal | None = None


def compute_charge(
    *,
    planned_usd: Decimal | None,
    reported_usd: Decimal | None,
    is_usage_priced: bool,
    credits_held: int,
    outputs: int,
    planned_outputs: int,
    margin: Decimal,
    undelivered: int = 0,
) -> JobCharge:
    """Price a job that delivered `outputs` of `planned_outputs` images.

    `undelivered` are those that the provider bills as well, and that are not delivered.
    """
    planned_share = None if planned_usd is None else planned_usd * outputs / planned_outputs
    cost, undelivered_usd = _split_cost(
        planned_share, reported_usd, outputs=outputs, undelivered=undelivered
    )
    most = credits_held
    if planned_share is not None and outputs < planned_outputs:
        # Fewer than planned: the share is priced like a job of its own, rounding up included.
        most = min(credits_held, pricing.debit(planned_share, margin=margin))
    # Only a price by usage follows the report: where the price was known, the caller agreed to it.
    if not is_usage_priced or reported_usd is None or cost is None:
        return JobCharge(credits=most, provider_usd=cost, undelivered_usd=undelivered_usd)
    due = pricing.debit(cost, margin=margin)
    # Never above the hold: it is the most that the caller agreed to and the ledger set aside.
    return JobCharge(
        credits=min(due, most),
        provider_usd=cost,
        excess_usd=cost - (planned_share or 0) if due > most else None,
        undelivered_usd=undelivered_usd,
    )


def _split_cost(
    planned_share: Decimal | None, reported_usd: Decimal | None, *, outputs: int, undelivered: int
) -> tuple[Decimal | None, Decimal | None]:
    """Divide the provider's cost by image: those delivered, and those that it bills beside them."""
    if reported_usd is not None:
        delivered_usd = reported_usd * outputs / max(1, outputs + undelivered)
        rest = reported_usd - delivered_usd
    elif planned_share is not None:
        delivered_usd, rest = planned_share, planned_share * undelivered / max(1, outputs)
    else:
        return None, None
    return delivered_usd, rest if undelivered else None
