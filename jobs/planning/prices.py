"""Price a run by its model's price rule, exactly; what can't be known before it is marked so."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

from billing import pricing
from imageskill.lib.schemas import ExactNumber
from jobs.planning import parameters as model_parameters
from jobs.registry.entry import Model, Size
from jobs.registry.prices import ImagePrice, MegapixelPrice, TierPrice, TokenPrice

Confidence = Literal["known", "estimated", "unknown"]

MEGAPIXEL = 1024 * 1024
MILLION = 1_000_000
AUTO = "auto"
_ANY_PROVIDER = "the provider's list price"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The planned cost of all outputs together, in the provider's dollars.

    `estimated_usd` is None where the price is unknown before the run; the hold then follows
    `fallback_usd`, which is None otherwise. `is_usage_priced`: the capture follows the usage
    that the provider reports, and never exceeds the hold.
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
        """Return the dollars that the debit follows from."""
        usd = self.fallback_usd if self.estimated_usd is None else self.estimated_usd
        assert usd is not None, "one of the two is always set"
        return usd

    @property
    def planned_usd_per_image(self) -> Decimal:
        """Return the planned dollars of one output, which budget guards limit."""
        return self.planned_usd / self.output_count

    def stored(self) -> dict[str, Any]:
        """Return the cost as JSON for `Job.plan`; amounts are strings, so that they stay exact."""
        return {
            "confidence": self.confidence,
            "output_count": self.output_count,
            "estimated_usd": _to_text(self.estimated_usd),
            "fallback_usd": _to_text(self.fallback_usd),
            "credits": self.credits,
            "margin": str(self.margin),
            "source": self.source,
            "is_usage_priced": self.is_usage_priced,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Cost":
        """Return the cost that `stored` wrote."""
        amounts = ("estimated_usd", "fallback_usd", "margin")
        exact = {name: _to_decimal(document[name]) for name in amounts}
        return cls(**{**document, **exact})


class CreditPricingOut(TypedDict):
    """How credits follow from dollars: the planned debit, after a run the captured one."""

    credit_unit_usd: ExactNumber
    credits_required: int
    estimated_provider_cost_usd: ExactNumber | None
    estimated_revenue_usd: ExactNumber
    pricing_confidence: Confidence
    target_gross_margin: ExactNumber
    pricing_source: str
    fallback_provider_cost_usd: ExactNumber | None


class CostOut(TypedDict):
    """The cost of an operation, in the provider's dollars."""

    estimated_usd: ExactNumber | None
    provider_reported_usd: ExactNumber | None
    credit_pricing: CreditPricingOut


def estimate(
    model: Model,
    *,
    parameters: Mapping[str, Any],
    size: Size | None,
    output_count: int,
    images_in: int,
    margin: Decimal,
    input_size: Size | None = None,
) -> Cost:
    """Return the cost of a run: the provider's dollars for all outputs, and the credits to hold."""
    price = model.price
    each, is_certain = _price_output(
        model,
        parameters=parameters,
        size=size,
        images_in=images_in,
        input_size=input_size,
    )
    is_known = price.is_quoted and is_certain
    total = each * output_count + (Decimal(0) if is_known else price.fallback_extra_usd)
    return Cost(
        confidence=_confidence(model, is_known=is_known),
        output_count=output_count,
        estimated_usd=total if is_known else None,
        fallback_usd=None if is_known else total,
        credits=pricing.debit(total, margin=margin),
        margin=margin,
        source=price.source,
        is_usage_priced=price.is_metered and not is_known,
    )


def cost_document(
    cost: Cost,
    *,
    credits_captured: int | None = None,
    reported_usd: Decimal | None = None,
    names_vendor: bool = False,
) -> CostOut:
    """Return a cost as answers show it: as planned, or with the captured debit after the run.

    Whose price list it follows is provenance, so only the catalog and callers with the grant for
    it read the vendor's name.
    """
    credits = cost.credits if credits_captured is None else credits_captured
    return {
        "estimated_usd": cost.estimated_usd,
        "provider_reported_usd": reported_usd,
        "credit_pricing": {
            "credit_unit_usd": pricing.CREDIT_USD,
            "credits_required": credits,
            "estimated_provider_cost_usd": cost.estimated_usd,
            "estimated_revenue_usd": pricing.revenue(credits),
            "pricing_confidence": cost.confidence,
            "target_gross_margin": cost.margin,
            "pricing_source": cost.source if names_vendor else _ANY_PROVIDER,
            "fallback_provider_cost_usd": cost.fallback_usd,
        },
    }


def count_output_tokens(rule: TokenPrice, *, quality: str, size: Size) -> int:
    """Return the tokens of one output, by the provider's table or its formula."""
    width, height = size
    if rule.output_tokens is not None:
        return rule.output_tokens[quality][f"{width}x{height}"]
    assert rule.formula is not None, "a row has one of the two"
    factor, short, long = rule.formula.quality_factor[quality], *sorted(size)
    short_factor = (2 * factor * short + long) // (2 * long)  # rounded, halves up
    return -(-factor * short_factor * (2 * MILLION + width * height) // (4 * MILLION))


def _price_output(
    model: Model,
    *,
    parameters: Mapping[str, Any],
    size: Size | None,
    images_in: int,
    input_size: Size | None,
) -> tuple[Decimal, bool]:
    """Return the price of one output, and whether it is exact or a fallback."""
    rule = model.price.rule
    match rule:
        case ImagePrice():
            return rule.usd + rule.input_usd * images_in, True
        case TierPrice():
            tier = model_parameters.effective_value(model, parameters, rule.parameter)
            return rule.usd[tier] + rule.input_usd * images_in, True
        case MegapixelPrice():
            assumed = size or input_size or (1024, 1024)
            return _by_megapixels(rule, model, assumed), size is not None
        case TokenPrice():
            quality = model_parameters.effective_value(model, parameters, "quality")
            return _by_tokens(rule, quality=quality, size=size)


def _by_megapixels(rule: MegapixelPrice, model: Model, size: Size) -> Decimal:
    area = size[0] * size[1]
    if model.size.limits.max_pixels is not None:
        area = min(area, model.size.limits.max_pixels)
    megapixels = Decimal(area) / MEGAPIXEL
    return rule.usd * (math.ceil(megapixels) if rule.rounds_up else megapixels)


def _by_tokens(rule: TokenPrice, *, quality: str, size: Size | None) -> tuple[Decimal, bool]:
    is_certain = quality != AUTO and size is not None
    quality = rule.dearest.quality if quality == AUTO else quality
    if size is None:
        width, _, height = rule.dearest.size.partition("x")
        size = int(width), int(height)
    tokens = count_output_tokens(rule, quality=quality, size=size)
    return rule.usd_per_million["image_out"] * tokens / MILLION, is_certain


def _confidence(model: Model, *, is_known: bool) -> Confidence:
    if not is_known:
        return "unknown"
    # The tokens of the prompt are billed too and are not in the figure.
    return "estimated" if isinstance(model.price.rule, TokenPrice) else "known"


def _to_text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _to_decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
