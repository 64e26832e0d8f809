"""The rows of the catalog as answers show them.

They are typed dicts, so that mypy checks every name while a list of all models is written without
being copied through a schema.
"""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

from imageskill.lib.schemas import ExactNumber
from jobs.planning.prices import CreditPricingOut

JsonSchema = dict[str, Any]
Status = Literal["available", "unavailable"]
ExecutionStatus = Literal["executable", "unavailable", "cataloged_not_wired"]


class ImageRuleOut(TypedDict, total=False):
    """What an image must be like, where it is accepted; `meaning` says what numbers don't."""

    mime_types: list[str]
    max_bytes: int | None
    min_edge: int
    min_aspect_ratio: ExactNumber | None
    max_aspect_ratio: ExactNumber | None
    meaning: str


class InputImagesOut(ImageRuleOut):
    """The input images of a model."""

    required: bool
    max: int


class MaskOut(ImageRuleOut):
    """Whether a model accepts or needs a mask."""

    supported: bool
    required: bool


class ReferencesOut(TypedDict):
    """The references of a model; the rest only where it accepts any."""

    supported: bool
    required: bool
    max: int
    roles: NotRequired[list[str]]
    max_indexes: NotRequired[int]
    tasks: NotRequired[list[str]]
    max_element_references_per_index: NotRequired[int]
    meaning: NotRequired[str]
    asset: NotRequired[ImageRuleOut]


class AspectRatiosOut(TypedDict):
    """The accepted aspect ratios."""

    values: list[str]


class InputMediaOut(TypedDict):
    """The images that go in."""

    images: InputImagesOut
    mask: MaskOut
    references: ReferencesOut
    aspect_ratios: AspectRatiosOut


class OutputMediaOut(TypedDict):
    """The images that come out."""

    max_outputs_per_request: int
    mime_types: list[str]
    formats: list[str]
    default_format: str | None
    max_resolution: str | None
    transparent_background: bool


class MediaOut(TypedDict):
    """What goes in and what comes out."""

    input: InputMediaOut
    output: OutputMediaOut


class PromptOut(TypedDict):
    """Whether a prompt is accepted, and its length in characters."""

    use: Literal["required", "forbidden"]
    min_length: NotRequired[int]
    max_length: NotRequired[int]


class PriceOut(TypedDict):
    """The price rule: which fields there are depends on its kind."""

    kind: Literal["per_image", "tier", "per_megapixel", "output_tokens"]
    usd: NotRequired[ExactNumber | dict[str, ExactNumber]]
    usd_per_input: NotRequired[ExactNumber]
    parameter: NotRequired[str]
    pixels: NotRequired[int]
    rounds_up: NotRequired[bool]
    usd_per_million: NotRequired[dict[str, ExactNumber]]
    quoted_before_the_run: bool
    priced_from_usage: bool


class EconomicsOut(TypedDict):
    """What one image costs, for a request that sets only what it must."""

    estimated_usd_per_image: ExactNumber | None
    cost_known: bool
    budget_required_for_live: bool
    price: PriceOut
    credit_pricing: CreditPricingOut


class ExecutionOut(TypedDict):
    """Whether the model runs here, and where its outputs are stored."""

    model_execution_status: ExecutionStatus
    artifact_storage: Literal["image_skill_owned"]


class ModelCapabilityOut(TypedDict):
    """The capability of a model."""

    id: str
    grants_required: list[str]
    intents: list[str]


class ModelSafetyOut(TypedDict):
    """Who checks what."""

    prompt_checked: bool
    provider_moderation: bool


class MigrationOut(TypedDict, total=False):
    """When the provider retires a model, and what replaces it."""

    replacement: str
    retires_on: str


class ModelRow(TypedDict):
    """A model: what it accepts, makes and costs, and whether it can run."""

    id: str
    default: bool
    display_name: str
    summary: str
    provider_id: str
    modality: str
    status: Status
    availability_reason: str | None
    availability_message: str | None
    supports: list[str]
    operations: list[str]
    capability_id: str
    task_tags: list[str]
    aliases: list[str]
    accepts_input_images: bool
    latency_class: str
    show_command: str
    execution: ExecutionOut
    capability: ModelCapabilityOut
    prompt: PromptOut
    media: MediaOut
    aspect_ratios: list[str]
    model_parameters: JsonSchema
    fixed_controls: dict[str, Any]
    economics: EconomicsOut
    estimated_usd_per_image: ExactNumber | None
    credits_required: int
    safety: ModelSafetyOut
    migration: MigrationOut | None


class CompactModelRow(TypedDict):
    """A model without its nested parts and parameter schema."""

    id: str
    default: bool
    display_name: str
    summary: str
    provider_id: str
    modality: str
    status: Status
    availability_reason: str | None
    supports: list[str]
    operations: list[str]
    capability_id: str
    task_tags: list[str]
    aliases: list[str]
    accepts_input_images: bool
    aspect_ratios: list[str]
    estimated_usd_per_image: ExactNumber | None
    credits_required: int
    latency_class: str
    show_command: str
    model_execution_status: ExecutionStatus
    artifact_storage: Literal["image_skill_owned"]
    pricing_confidence: str
    cost_known: bool
    budget_required_for_live: bool
    max_outputs_per_request: int
    max_resolution: str | None
    grants_required: list[str]


class ProviderCountOut(TypedDict):
    """How many models a provider has, and how many of them can run."""

    total: int
    available: int


class ExecutionAvailabilityOut(TypedDict):
    """Whether a model of the list can run now, and the list of those that can."""

    status: Status
    message: str | None
    suggested_command: str | None


class LeftOutOut(TypedDict):
    """How many models that are only cataloged a list leaves out, and the list of those."""

    count: int
    message: str
    suggested_command: str


class SummaryOut(TypedDict):
    """How many models there are of each kind."""

    total: int
    returned: int
    available: int
    executable: int
    unavailable: int
    catalog_only: int
    cataloged_not_wired: int
    providers: dict[str, ProviderCountOut]
    defaults: dict[str, str]
    first_actionable_model_ids: list[str]
    execution_availability: ExecutionAvailabilityOut
    left_out: LeftOutOut | None
    filter_commands: dict[str, str]
    result_shape: Literal["model_rows", "compact_model_summary"]


class ModelListOut(TypedDict):
    """Models, and how many there are of each kind."""

    models: list[ModelRow] | list[CompactModelRow]
    summary: SummaryOut


class OutputCountOut(TypedDict):
    """How many outputs a request may ask for."""

    minimum: int
    maximum: int


class OutputControlOut(TypedDict):
    """The file formats that can be chosen."""

    formats: list[str]
    default_format: str | None


class ControlsOut(TypedDict):
    """What the request's own fields, the same for every model, may hold here."""

    prompt: PromptOut
    aspect_ratio: AspectRatiosOut
    output_count: OutputCountOut
    output: OutputControlOut
    input_asset_id: InputImagesOut
    mask_asset_id: MaskOut
    references: ReferencesOut
    guards: list[str]


class LiveAuthOut(TypedDict):
    """What a live call needs."""

    token: Literal["required"]
    grants_required: list[str]


class DryRunAuthOut(TypedDict):
    """What a dry run needs."""

    token: Literal["none"]


class CapabilityAuthOut(TypedDict):
    """The permissions that a capability needs."""

    live: LiveAuthOut
    dry_run: DryRunAuthOut


class CapabilityRow(TypedDict):
    """A capability: what can be done, with which controls, at which price."""

    id: str
    display_name: str
    summary: str
    operation: str
    operations: list[str]
    modality: str
    status: Status
    availability_reason: str | None
    model_execution_status: ExecutionStatus
    default_model: str
    models: list[str]
    selection_policy: str | None
    normalized_controls: ControlsOut
    model_parameters: JsonSchema
    fixed_controls: dict[str, Any]
    economics: EconomicsOut
    auth: CapabilityAuthOut
    deprecation: MigrationOut | None
    show_command: str
