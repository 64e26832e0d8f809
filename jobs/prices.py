"""What a run costs, by its model's price rule: exact, and honest about what it can't know."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Confidence = Literal["known", "estimated", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The planned cost of all outputs together, in dollars of the provider's.

    `estimated_usd` is None where the price is unknown beforehand; `fallback_usd`, None
    otherwise, is then what the hold is made from. `is_usage_priced`: the capture follows the
    usage that the provider reports, and never exceeds the hold.
    """

    confidence: Confidence
    output_count: int
    estimated_usd: Decimal | None
    fallback_usd: Decimal | None
    credits: int
    margin: Decimal
    source: str
    is_usage_priced: bool

    @property
    def planned_usd(self) -> Decimal:
        """Give the dollars that the debit was made from."""
        usd = self.fallback_usd if self.estimated_usd is None else self.estimated_usd
        return usd if usd is not None else Decimal(0)

    @property
    def planned_usd_per_image(self) -> Decimal:
        """Give the planned dollars for one output, which budget guards compare with."""
        return self.planned_usd / self.output_count
