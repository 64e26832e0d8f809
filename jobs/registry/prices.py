"""How a model is priced, as its registry row says it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from jobs.registry.base import Exact, Part, Positive, Words


class ImagePrice(Part):
    """Dollars for each output."""

    kind: Literal["image"]
    usd: Exact
    input_usd: Exact = Decimal(0)  # for each image that goes in


class TierPrice(Part):
    """Dollars for each output, by the value of a parameter."""

    kind: Literal["tier"]
    parameter: str
    usd: Mapping[str, Exact]
    input_usd: Exact = Decimal(0)


class MegapixelPrice(Part):
    """Dollars for each megapixel of 1024 x 1024 pixels; `up`: a started one counts in full."""

    kind: Literal["megapixel"]
    usd: Exact
    rounding: Literal["up", "none"]

    @property
    def rounds_up(self) -> bool:
        """Return whether a started megapixel counts in full."""
        return self.rounding == "up"


class TokenFormula(Part):
    """The provider's formula for the tokens of an output: a factor for each quality."""

    quality_factor: Mapping[str, Positive]


class DearestOutput(Part):
    """What stands in for a quality or size that is left to the provider."""

    quality: str
    size: str


class TokenPrice(Part):
    """Dollars for the tokens of an output, counted by table or by formula from quality and size."""

    kind: Literal["tokens"]
    usd_per_million: Mapping[str, Exact]
    dearest: DearestOutput
    output_tokens: Mapping[str, Mapping[str, Positive]] | None = None
    formula: TokenFormula | None = None

    @model_validator(mode="after")
    def _check_count(self) -> "TokenPrice":
        if (self.output_tokens is None) == (self.formula is None):
            raise ValueError("needs either output_tokens or formula")
        return self


class Price(Part):
    """What a run costs us.

    `is_quoted`: the rule's figure is the price before the run; otherwise the price is unknown
    beforehand and the figure, with `fallback_extra_usd`, is only held. `is_metered`: the
    provider reports what it counted, priced by `rates_usd` (tokens: dollars a million).
    """

    rule: Annotated[
        ImagePrice | TierPrice | MegapixelPrice | TokenPrice, Field(discriminator="kind")
    ]
    is_quoted: bool = Field(alias="quoted")
    is_metered: bool = Field(alias="metered")
    source: Words
    fallback_extra_usd: Exact = Decimal(0)
    usage_rates_usd: Mapping[str, Exact] = Field(default={}, alias="rates_usd")

    @property
    def rates_usd(self) -> Mapping[str, Decimal]:
        """Return the price of what the provider counts, by its name for it."""
        if isinstance(self.rule, TokenPrice):
            return self.rule.usd_per_million
        return self.usage_rates_usd
