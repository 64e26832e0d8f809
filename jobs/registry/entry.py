"""What the registry knows of one model, as immutable values; the files in `rows/` fill them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from jobs.registry.operations import Operation

PromptUse = Literal["required", "forbidden"]
Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class PromptRule:
    """Whether a prompt is taken, and how long it may be in characters."""

    use: PromptUse
    min_length: int = 1
    max_length: int = 0


@dataclass(frozen=True, kw_only=True)
class ImageRule:
    """What an input image or a mask must be like."""

    mime_types: tuple[str, ...]
    required: bool = True
    max: int = 1
    max_bytes: int | None = None
    min_edge: int = 1
    min_ratio: Decimal | None = None  # width / height
    max_ratio: Decimal | None = None
    meaning: str = ""


@dataclass(frozen=True, kw_only=True)
class ReferenceRule:
    """Which reference images a model takes.

    `elements`: named things, one `element_frontal` at each index and up to `max_per_index`
    `element_reference` beside it. `images`: one `reference_image` at each index, with a
    task where `tasks` lists any. `meaning` tells callers what the numbers don't.
    """

    kind: Literal["elements", "pictures"]
    max_indexes: int
    max_per_index: int = 0
    max_entries: int = 0
    tasks: tuple[str, ...] = ()
    meaning: str = ""

    @property
    def roles(self) -> tuple[str, ...]:
        """Name the roles a reference may have here."""
        if self.kind == "elements":
            return ("element_frontal", "element_reference")
        return ("reference_image",)

    @property
    def entry_limit(self) -> int:
        """Count the references a request may name at most."""
        return self.max_entries or self.max_indexes


@dataclass(frozen=True, kw_only=True)
class OutputRule:
    """What comes out. `default_format` is None where the provider alone decides."""

    max_count: int
    mime_types: tuple[str, ...]
    max_resolution: str | None = None
    transparent_background: bool = False
    default_format: str | None = None


@dataclass(frozen=True, kw_only=True)
class AspectRatioRule:
    """The aspect ratios taken and what each sends.

    That is the value of the provider's `field`, or None to leave the field out.
    """

    field: str | None
    values: Mapping[str, str | None]
    only_with_references: bool = False  # but for auto: alone, an edit keeps its input's ratio


@dataclass(frozen=True, kw_only=True)
class SizeLimits:
    """What a width and height of the caller's choice must keep to."""

    multiple_of: int = 1
    min_pixels: int = 1
    max_pixels: int | None = None
    max_edge: int | None = None
    max_ratio: Decimal | None = None  # long edge / short edge


@dataclass(frozen=True, kw_only=True)
class SizeRule:
    """How the size of an image is known beforehand.

    From the parameter that names it, or roughly, and for squares only, from the tier.
    """

    parameter: str | None = None
    presets: Mapping[str, Size] = field(default_factory=dict)
    limits: SizeLimits = field(default_factory=SizeLimits)
    tier: str | None = None
    short_edge: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ParameterRule:
    """A parameter (at `value`, or at all) that only goes with certain values of others."""

    parameter: str
    needs: Mapping[str, tuple[str, ...]]
    value: str | None = None


@dataclass(frozen=True, kw_only=True)
class ImagePrice:
    """Dollars an output."""

    usd: Decimal
    input_usd: Decimal = Decimal(0)  # for each image that goes in


@dataclass(frozen=True, kw_only=True)
class TierPrice:
    """Dollars an output, by the value of a parameter."""

    parameter: str
    usd: Mapping[str, Decimal]
    input_usd: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class MegapixelPrice:
    """Dollars a megapixel of 1024 x 1024 pixels, a started one in full where `rounds_up`."""

    usd: Decimal
    rounds_up: bool


@dataclass(frozen=True, kw_only=True)
class TokenPrice:
    """Dollars for the tokens of an output, counted by table or by formula from quality and size.

    `dearest` stands in for a quality or size left to the provider.
    """

    usd_per_million: Mapping[str, Decimal]
    dearest: Mapping[str, str]
    output_tokens: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    quality_factor: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a run costs us.

    `is_quoted`: the rule's figure is the price before the run; otherwise the price is unknown
    beforehand and the figure, with `fallback_extra_usd`, is only held. `is_metered`: the
    provider reports what it counted, priced by `rates_usd` (tokens: dollars a million).
    """

    rule: ImagePrice | TierPrice | MegapixelPrice | TokenPrice
    is_quoted: bool
    is_metered: bool
    source: str
    fallback_extra_usd: Decimal = Decimal(0)
    rates_usd: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReferenceFields:
    """Where references go in a provider's request.

    In one of three ways: a list of elements, fields with numbers of their own, or one list
    together with the input.
    """

    elements_field: str | None = None
    frontal_field: str | None = None
    reference_field: str | None = None
    numbered_fields: tuple[Mapping[str, str], ...] = ()  # {"image": field, "task": field}
    joined_field: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProviderCall:
    """How the provider is asked: its endpoint and where each thing goes in the request.

    A field that is None has no place there; `fixed` fields are sent with every request.
    """

    endpoint: str = ""
    model: str | None = None
    prompt_field: str | None = None
    input_field: str | None = None
    input_is_list: bool = False
    input_may_be_list: bool = False
    mask_field: str | None = None
    count_field: str | None = None
    format_field: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    references: ReferenceFields | None = None
    output_field: str = ""


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model.

    `parameters` maps each name to its JSON Schema with `executable` true or false; a model that
    is not `is_wired` is cataloged only.
    """

    id: str
    display_name: str
    summary: str
    provider: str
    modality: str
    is_wired: bool
    operations: tuple[str, ...]
    supports: tuple[str, ...]
    capability_id: str
    aliases: tuple[str, ...]
    task_tags: tuple[str, ...]
    latency_class: str
    prompt: PromptRule
    output: OutputRule
    aspect_ratio: AspectRatioRule
    size: SizeRule
    parameters: Mapping[str, Mapping[str, Any]]
    price: Price
    call: ProviderCall
    input_image: ImageRule | None = None
    mask: ImageRule | None = None
    references: ReferenceRule | None = None
    parameter_rules: tuple[ParameterRule, ...] = ()
    safety: Mapping[str, Any] = field(default_factory=dict)
    migration: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def operation(self) -> Operation | None:
        """Name the endpoint that runs it: create, edit, or None for what neither runs."""
        if "create" in self.supports:
            return "create"
        return "edit" if "edit" in self.supports else None

    @property
    def bare_name(self) -> str:
        """Return the name without its provider."""
        return self.id.split(".", 1)[1]

    @property
    def executable_parameters(self) -> tuple[str, ...]:
        """Name the parameters a caller may set."""
        return tuple(name for name, schema in self.parameters.items() if schema["executable"])
