"""Request bodies and answers of the endpoints of jobs and assets."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    WithJsonSchema,
)

from billing.purchases.purchase_hints import SelfFundOut
from imageskill.lib.schemas import Body, Data, Readable
from jobs.planning.prices import CostOut
from jobs.planning.request import GenerationRequest, OutputSpec, Reference
from jobs.registry.operations import Operation
from jobs.submission.guide import Stage

_MAX_USD = 1_000_000


def _exact_decimal(value: Any) -> Decimal:
    """Read a JSON number exactly as it was written; a string is no number of dollars."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic catches ValueError only
    return Decimal(str(value))


Usd = Annotated[
    Decimal,
    BeforeValidator(_exact_decimal),
    Field(ge=0, le=_MAX_USD),
    # Pydantic would write the bounds as `ge` and `le`, which mean nothing in JSON Schema.
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": _MAX_USD}),
]
AssetId = Annotated[str, StringConstraints(pattern=r"^image_[A-Za-z0-9._-]{1,128}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
IdempotencyKey = Annotated[
    str, StringConstraints(pattern=r"^[\x21-\x7e][\x20-\x7e]{0,198}[\x21-\x7e]?$")
]
Limit = Annotated[int, Field(ge=1, le=100)]
Cursor = Annotated[str, StringConstraints(max_length=140)]
Pixels = Annotated[int, Field(ge=1, le=65_536)]
ReferenceIndex = Annotated[int, Field(ge=0, le=99)]
Prompt = Annotated[str, StringConstraints(min_length=1, max_length=32_000)]
JobStatus = Literal["queued", "running", "storing", "completed", "failed", "canceled"]
JobOperation = Literal["create", "edit", "upload"]
AssetKind = Literal["generated", "uploaded"]
Modality = Literal["image", "video", "audio", "3d"]


def _canonical_format(name: str | None) -> str | None:
    return "jpeg" if name == "jpg" else name


# For readers who try it out: plans that charge nothing.
_CREATE_EXAMPLE: dict[str, JsonValue] = {
    "prompt": "A compact field camera on a stainless workbench",
    "intent": "explore",
    "aspect_ratio": "1:1",
    "max_estimated_usd_per_image": 0.05,
    "dry_run": True,
}
_EDIT_EXAMPLE: dict[str, JsonValue] = {
    "input_asset_id": "image_0123456789abcdefABCDEF",
    "prompt": "Remove the background",
    "accept_unknown_cost": True,
    "dry_run": True,
}


class OutputBody(Body):
    """The file format and size that the outputs must have."""

    format: Annotated[
        Literal["png", "jpeg", "jpg", "webp"] | None,
        AfterValidator(_canonical_format),
        Field(description="The file format."),
    ] = None
    width: Pixels | None = Field(None, description="The exact width in pixels.")
    height: Pixels | None = Field(None, description="The exact height in pixels.")
    min_width: Pixels | None = Field(None, description="The least width in pixels.")
    min_height: Pixels | None = Field(None, description="The least height in pixels.")
    max_width: Pixels | None = Field(None, description="The largest width in pixels.")
    max_height: Pixels | None = Field(None, description="The largest height in pixels.")


class ReferenceBody(Body):
    """A reference image and its part in the request."""

    asset_id: AssetId = Field(description="An asset of your organization.")
    role: Word = Field(description="Its part in the image: one of the model's reference roles.")
    index: ReferenceIndex | None = Field(
        None, description="The element, or the place among the references; from 0, without gaps."
    )
    reference_index: ReferenceIndex | None = Field(
        None, description="The place among the further views of its element, 0 to 2."
    )
    reference_task: Word | None = Field(
        None, description="What to take from it, such as ip, id or style."
    )


class OperationBody(Body):
    """What create and edit have in common."""

    model: Name | None = None
    provider: Name | None = None
    intent: Annotated[str, StringConstraints(max_length=200), Readable] | None = None
    aspect_ratio: Annotated[str, StringConstraints(min_length=1, max_length=16)] | None = None
    output: OutputBody | None = None
    output_count: Annotated[int, Field(ge=1, le=100)] = 1
    references: Annotated[list[ReferenceBody], Field(max_length=100)] | None = Field(
        None, description="Reference images, for models that take them."
    )
    model_parameters: dict[str, Any] | None = None
    dry_run: bool = False
    max_estimated_usd_per_image: Usd | None = None
    max_usd: Usd | None = None
    accept_unknown_cost: bool = False
    idempotency_key: IdempotencyKey | None = None

    def to_request(self, operation: Operation) -> GenerationRequest:
        """Return the terms; a null and a missing field are the same."""
        terms = _without_nulls(self)
        for name in ("dry_run", "idempotency_key"):  # these concern the call, not the image
            terms.pop(name, None)
        if self.output is not None:
            terms["output"] = OutputSpec(**_without_nulls(self.output))
        if self.references is not None:
            terms["references"] = tuple(
                Reference(**_without_nulls(reference)) for reference in self.references
            )
        return GenerationRequest(operation=operation, **terms)


class CreateBody(OperationBody):
    """An image to create from a prompt."""

    model_config = ConfigDict(json_schema_extra={"example": _CREATE_EXAMPLE})

    prompt: Prompt
    modality: Modality | None = None


class EditBody(OperationBody):
    """An image to edit."""

    model_config = ConfigDict(json_schema_extra={"example": _EDIT_EXAMPLE})

    input_asset_id: AssetId
    prompt: Prompt | None = None
    mask_asset_id: AssetId | None = None


def _without_nulls(body: Body) -> dict[str, Any]:
    return {name: value for name, value in body if value is not None}


class UploadBody(Body):
    """An image to upload, and what the caller declares about it."""

    source_kind: Literal["local_path", "remote_url"] = Field(
        description="Where the image came from; recorded, never fetched."
    )
    filename: Annotated[str, StringConstraints(max_length=4096)] | None = Field(
        None, description="Its name; a path before it is dropped."
    )
    remote_origin: Annotated[str, StringConstraints(max_length=4096)] | None = Field(
        None, description="The origin of its URL, such as https://example.com."
    )
    mime_type: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="Its type; must be that of the bytes."
    )
    content_length: Annotated[int, Field(ge=0, le=2**53)] = Field(
        description="How many bytes it has."
    )
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{64}$")] = Field(
        description="The SHA-256 of the bytes, in hex."
    )
    bytes_base64: str = Field(description="The bytes as base64.")


class ProvenanceOut(Data):
    """The provider and model behind an image; shown on request to agents with the grant."""

    provider_id: str
    model_id: str


class AssetOut(Data):
    """An image. `path` repeats its `url`."""

    asset_id: str
    job_id: str
    kind: AssetKind
    url: str
    path: str
    mime_type: str
    content_length: int
    width: int
    height: int
    sha256: str
    created_at: str
    expires_at: str | None = Field(description="When it is deleted; null where it is kept")
    source: Literal["hosted_metadata"]
    provenance: ProvenanceOut | None = None


class CapabilityRef(Data):
    """A capability by its id."""

    id: str


class SafetyOut(Data):
    """The verdict of the content policy."""

    status: Literal["allowed", "denied"]


class JobErrorOut(Data):
    """Why a job ended without an image, or continues without its caller."""

    code: str
    message: str
    retryable: bool


class JobOut(Data):
    """A job."""

    job_id: str
    status: JobStatus
    operation: JobOperation
    trace_id: str
    capability: CapabilityRef
    created_at: str
    started_at: str | None
    completed_at: str | None
    assets: list[AssetOut]
    cost: CostOut | None
    safety: SafetyOut
    error: JobErrorOut | None
    provenance: ProvenanceOut | None = None


class QuotaOut(Data):
    """The credits consumed by the operation, and those remaining."""

    consumed_credits: int
    remaining_credits: int | None
    payment_backed_remaining_credits: int | None


class JobBrief(Data):
    """A job in the answer of the call that created it."""

    job_id: str
    status: str


class RecoveryOut(Data):
    """What to do about a job that is still running."""

    suggested_command: str
    retry_after_seconds: int


class NextActionsOut(Data):
    """What to do next, as commands; null where there is nothing to do it with."""

    wait_job: str | None = Field(default=None, description="Wait for a job that is still running")
    inspect_job: str | None = None
    inspect_asset: str | None = None
    download_asset: str | None = None
    iterate_edit: str | None = Field(
        default=None, description="Price an edit of the image and get its command: spends nothing"
    )
    self_fund: SelfFundOut | None = Field(default=None, description="How to get more credits")


class OperationOut(Data):
    """A create or edit: completed, planned only, or still running."""

    trace_id: str = Field(description="Leads to the events of the job")
    job_id: str | None
    job: JobBrief | None
    capability: CapabilityRef
    asset_ids: list[str]
    assets: list[AssetOut]
    input_asset: AssetOut | None = None
    cost: CostOut
    quota: QuotaOut
    usage_event_id: str | None
    request: dict[str, Any]
    accepted_model_parameters: dict[str, Any] | None = None
    safety: SafetyOut
    recovery: RecoveryOut | None = None
    next_actions: NextActionsOut
    self_fund_next_command: str | None = Field(
        default=None,
        description="The quote command of next_actions.self_fund, where it is recommended",
    )


class GuideEffectsOut(Data):
    """What running next_command does to credits."""

    spends: bool = Field(description="Whether next_command spends credits")
    credits_required: int = Field(description="For one image by this model, as the catalog has it")
    credits_available: int | None = Field(description="Null without a token")


class GuideRecoveryOut(Data):
    """What stands between the caller and the image, and how to go on after it is done."""

    message: str
    then_command: str | None = Field(description="After next_command: the guide again")
    retry_after_seconds: int | None


class GuideOut(Data):
    """Where a caller stands on the way to an image, and the next command.

    `PROMPT` and `IMAGE` in a command stand for what the caller has; answers hold no prompt.
    """

    stage: Stage
    operation: Operation
    model: str | None
    next_command: str
    next_command_copy_runnable: bool = Field(description="Whether it runs without filling it in")
    missing_inputs: list[str]
    effects: GuideEffectsOut
    no_spend_next_command: str = Field(description="The best command that spends nothing")
    recovery: GuideRecoveryOut


class UploadRequestOut(Data):
    """Where the image comes from, as the caller declared it."""

    source_kind: str
    filename: str
    remote_origin: str | None


class UploadPolicyOut(Data):
    """The verdict of the input policy."""

    status: Literal["allowed"]


class UploadFactsOut(Data):
    """The bytes received; `asset` describes the bytes served."""

    bytes: int
    mime_type: str
    sha256: str
    policy: UploadPolicyOut


class UploadOut(Data):
    """An uploaded image."""

    request: UploadRequestOut
    asset: AssetOut
    upload: UploadFactsOut


class AssetReferenceOut(Data):
    """The requested asset."""

    reference: str
    reference_type: Literal["asset_id"]


class ShowAssetOut(Data):
    """One asset."""

    request: AssetReferenceOut
    asset: AssetOut
    next_actions: NextActionsOut


class AssetsOut(Data):
    """A page of assets, newest first."""

    assets: list[AssetOut]
    next_cursor: str | None


class DeletedOut(Data):
    """A deleted asset."""

    asset_id: str
    state: Literal["deleted"]


class JobReferenceOut(Data):
    """The requested job."""

    job_id: str


class ShowJobOut(Data):
    """One job, with its main fields repeated at the top."""

    request: JobReferenceOut
    job: JobOut
    status: str
    state: str
    assets: list[AssetOut]
    cost: CostOut | None
    next_actions: NextActionsOut


class JobsOut(Data):
    """A page of jobs, newest first."""

    jobs: list[JobOut]
    next_cursor: str | None


class CanceledOut(Data):
    """A canceled job."""

    job: JobOut
