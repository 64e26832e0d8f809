"""What the registry knows of one model: immutable values, read and checked by pydantic.

These classes are the schema of the files in `rows/`. Amounts of dollars are strings there, so that
they stay exact; a field that is missing takes the default written here.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from jobs.registry.base import (
    CatalogOperation,
    Exact,
    MimeTypes,
    Part,
    Positive,
    Ratio,
    Tags,
    Words,
    unique,
)
from jobs.registry.operations import Operation
from jobs.registry.prices import Price

Size = tuple[int, int]
Presets = Mapping[str, Mapping[str, Size]]
"""Named sizes, by the name of their table in `size_presets.json`."""


class PromptRule(Part):
    """Whether a prompt is accepted, and how long it may be in characters."""

    use: Literal["required", "forbidden"]
    min_length: Positive = 1
    max_length: Annotated[int, Field(ge=0, le=32_000)] = 0

    @model_validator(mode="after")
    def _check_length(self) -> "PromptRule":
        if (self.use == "required") != (self.max_length > 0):
            raise ValueError("max_length belongs to a required prompt, and only there")
        return self


class ImageRule(Part):
    """What an input image or a mask must be like.

    What has more bytes, pixels or a longer edge than it may is made smaller before it leaves.
    `needs` is what marks the place to change in a mask: without any, the model changes nothing.
    """

    mime_types: MimeTypes
    required: bool = True
    max: Positive = 1
    max_bytes: Positive | None = None
    max_pixels: Positive = 4096 * 4096  # no model makes more
    max_edge: Positive = 14_142  # where fal's own type of sizes ends
    min_edge: Positive = 1
    min_ratio: Exact | None = None  # width / height
    max_ratio: Exact | None = None
    needs: Literal["transparency", "black"] | None = None
    meaning: str = ""


class ReferenceRule(Part):
    """Which reference images a model accepts.

    `elements`: named things, one `element_frontal` at each index and up to `max_per_index`
    `element_reference` beside it. `images`: one `reference_image` at each index, with a
    task where `tasks` lists any. `meaning` tells callers what the numbers don't.
    """

    kind: Literal["elements", "images"]
    max_indexes: Positive
    max_per_index: Annotated[int, Field(ge=0)] = 0
    max_entries: Annotated[int, Field(ge=0)] = 0
    tasks: tuple[str, ...] = ()
    meaning: str = ""

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the roles that a reference may have."""
        if self.kind == "elements":
            return ("element_frontal", "element_reference")
        return ("reference_image",)

    @property
    def entry_limit(self) -> int:
        """Return how many references a request may name."""
        return self.max_entries or self.max_indexes


class OutputRule(Part):
    """What comes out. `default_format` is None where the provider alone decides."""

    max_count: Positive
    mime_types: MimeTypes
    max_resolution: str | None
    transparent_background: bool
    default_format: Literal["png", "jpeg", "webp"] | None = None


class AspectRatioRule(Part):
    """The accepted aspect ratios and what each of them sends.

    That is the value of the provider's `field`, or None to leave the field out.
    """

    field: str | None
    values: Mapping[Ratio, str | None]
    only_with_references: bool = False  # except auto: without references an edit keeps its ratio


class SizeLimits(Part):
    """What a width and height of the caller's choice must keep to."""

    multiple_of: Positive = 1
    min_pixels: Positive = 1
    max_pixels: Positive | None = None
    max_edge: Positive | None = None
    max_ratio: Exact | None = None  # long edge / short edge


class SizeRule(Part):
    """How the size of an image is known before the run.

    From the parameter that names it, or roughly, and for squares only, from the tier. A row names
    its table of presets; reading replaces the name by the table.
    """

    parameter: str | None = None
    presets: Mapping[str, Size] = {}
    limits: SizeLimits = Field(default=SizeLimits(), alias="rules")
    tier: str | None = None
    short_edge: Mapping[str, int] = {}

    @field_validator("presets", mode="plain")
    @classmethod
    def _find_table(cls, name: Any, info: ValidationInfo) -> Mapping[str, Size]:
        tables: Presets = info.context or {}
        if name not in tables:
            raise ValueError(f"must be a table of size_presets.json: {', '.join(tables)}")
        return tables[name]


class ParameterRule(Part):
    """A parameter (at `value`, or at all) that needs certain values of others."""

    parameter: str
    needs: Annotated[Mapping[str, tuple[str, ...]], Field(min_length=1)]
    value: str | None = None


class ReferenceFields(Part):
    """Where references go in a provider's request.

    In one of three ways: a list of elements, fields with numbers of their own, or one list
    together with the input.
    """

    elements_field: str | None = None
    frontal_field: str | None = None
    reference_field: str | None = None
    numbered_fields: tuple[Mapping[Literal["image", "task"], str], ...] = ()
    joined_field: str | None = None


class ProviderCall(Part):
    """How to call the provider: its endpoint, and the field of each thing in the request.

    A thing without a field can't be sent; `fixed` fields go with every request.
    """

    endpoint: str = ""
    model: str | None = None
    prompt_field: str | None = None
    input_field: str | None = None
    input_is_list: bool = False
    input_may_be_list: bool = False  # one image goes alone, several as a list
    mask_field: str | None = None
    count_field: str | None = None
    format_field: str | None = None
    fixed: Mapping[str, Any] = {}
    references: ReferenceFields | None = None
    output_field: str = ""


class Safety(Part):
    """What the provider checks by itself."""

    provider_moderation: bool


class Migration(Part):
    """When the provider retires a model, and what replaces it."""

    replacement: str | None = None
    retires_on: date | None = None


class Model(Part):
    """One model.

    `parameters` maps each name to its JSON Schema with `executable` true or false; a model that
    is not `is_wired` is cataloged only. Without `input_image`, `mask` or `references` it accepts
    none.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z0-9][a-z0-9.-]*$")]
    display_name: Words
    summary: Words
    provider: Words
    modality: Literal["image", "video", "audio", "3d"]
    is_wired: bool = Field(alias="wired")
    operations: Annotated[tuple[CatalogOperation, ...], Field(min_length=1), AfterValidator(unique)]
    supports: Annotated[
        tuple[Literal["create", "edit", "variation"], ...],
        Field(min_length=1),
        AfterValidator(unique),
    ]
    capability_id: Annotated[
        str, StringConstraints(pattern=r"^is\.[a-z0-9]+\.[a-z]+\.[a-z0-9-]+\.v1$")
    ]
    aliases: Tags
    task_tags: Tags
    latency_class: Literal["fast", "standard", "slow"]
    prompt: PromptRule
    output: OutputRule
    aspect_ratio: AspectRatioRule
    size: SizeRule
    parameters: Mapping[str, Mapping[str, Any]]
    price: Price
    safety: Safety
    call: ProviderCall
    input_image: ImageRule | None = None
    mask: ImageRule | None = None
    references: ReferenceRule | None = None
    parameter_rules: tuple[ParameterRule, ...] = ()
    migration: Migration = Migration()

    def __hash__(self) -> int:
        return hash(self.id)

    @field_validator("parameters")
    @classmethod
    def _check_parameters(
        cls, parameters: Mapping[str, Mapping[str, Any]]
    ) -> Mapping[str, Mapping[str, Any]]:
        for name, schema in parameters.items():
            if not isinstance(schema.get("executable"), bool) or not schema.get("description"):
                raise ValueError(f"{name} needs executable (true or false) and a description")
            try:
                Draft202012Validator.check_schema(schema)
            except SchemaError as error:
                raise ValueError(f"{name}: {error.message}") from error
        return parameters

    @property
    def operation(self) -> Operation | None:
        """Return the endpoint that runs it: create, edit, or None for neither."""
        if "create" in self.supports:
            return "create"
        return "edit" if "edit" in self.supports else None

    def is_retired(self, today: date) -> bool:
        """Return whether the day has come on which its provider retires it."""
        return self.migration.retires_on is not None and self.migration.retires_on <= today

    @property
    def bare_name(self) -> str:
        """Return the name without its provider."""
        return self.id.split(".", 1)[1]

    @property
    def executable_parameters(self) -> tuple[str, ...]:
        """Return the names of the parameters that a caller may set."""
        return tuple(name for name, schema in self.parameters.items() if schema["executable"])
