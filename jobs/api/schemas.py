"""What the endpoints of jobs and assets take and answer."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from imageskill.lib.schemas import Body, Data, ExactNumber

_MAX_USD = 1_000_000


def _exact_decimal(value: Any) -> Decimal:
    """Read a JSON number exactly as it was written; nothing else is a number of dollars."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic reads this one
    return Decimal(str(value))


Usd = Annotated[
    Decimal, BeforeValidator(_exact_decimal, json_schema_input_type=float), Field(ge=0, le=_MAX_USD)
]
AssetId = Annotated[str, StringConstraints(pattern=r"^image_[A-Za-z0-9._-]{1,128}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
IdempotencyKey = Annotated[
    str, StringConstraints(pattern=r"^[\x21-\x7e][\x20-\x7e]{0,198}[\x21-\x7e]?$")
]
Limit = Annotated[int, Field(ge=1, le=100)]
Cursor = Annotated[str, StringConstraints(max_length=140)]
Pixels = Annotated[int, Field(ge=1, le=65_536)]


class OutputBody(Body):
    """The file format and size that the outputs are to have."""

    format: Literal["png", "jpeg", "jpg", "webp"] | None = None
    width: Pixels | None = None
    height: Pixels | None = None
    min_width: Pixels | None = None
    min_height: Pixels | None = None
    max_width: Pixels | None = None
    max_height: Pixels | None = None


class ReferenceBody(Body):
    """One reference image and its part."""

    asset_id: AssetId
    role: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    index: Annotated[int, Field(ge=0, le=99)] | None = None
    reference_index: Annotated[int, Field(ge=0, le=99)] | None = None
    reference_task: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None


class _OperationBody(Body):
    model: Name | None = None
    provider: Name | None = None
    intent: Annotated[str, StringConstraints(max_length=200)] | None = None
    aspect_ratio: Annotated[str, StringConstraints(min_length=1, max_length=16)] | None = None
    output: OutputBody | None = None
    output_count: Annotated[int, Field(ge=1, le=100)] = 1
    references: Annotated[list[ReferenceBody], Field(max_length=100)] | None = None
    model_parameters: dict[str, Any] | None = None
    dry_run: bool = False
    max_estimated_usd_per_image: Usd | None = None
    max_usd: Usd | None = None
    accept_unknown_cost: bool = False
    idempotency_key: IdempotencyKey | None = None


class CreateBody(_OperationBody):
    """An image to be made from a prompt."""

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=32_000)]


class EditBody(_OperationBody):
    """An image to be made from an image."""

    input_asset_id: AssetId
    prompt: Annotated[str, StringConstraints(min_length=1, max_length=32_000)] | None = None
    mask_asset_id: AssetId | None = None


class UploadBody(Body):
    """An image of the caller's, with what the caller says about it."""

    source_kind: Literal["local_path", "remote_url"]
    filename: Annotated[str, StringConstraints(max_length=4096)] | None = None
    remote_origin: Annotated[str, StringConstraints(max_length=4096)] | None = None
    mime_type: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    content_length: Annotated[int, Field(ge=0, le=2**53)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{64}$")]
    bytes_base64: str


class AssetOut(Data):
    """An image. `path` is its address too."""

    asset_id: str
    job_id: str
    kind: Literal["generated", "uploaded"]
    url: str
    path: str
    mime_type: str
    content_length: int
    width: int
    height: int
    sha256: str
    created_at: str
    source: Literal["hosted_metadata"]
    provenance: dict[str, Any] | None = None


class CreditPricingOut(Data):
    """How credits came from dollars: what was planned, and after a run what was charged."""

    credit_unit_usd: ExactNumber
    credits_required: int
    estimated_provider_cost_usd: ExactNumber | None
    estimated_revenue_usd: ExactNumber
    pricing_confidence: Literal["known", "estimated", "unknown"]
    target_gross_margin: ExactNumber
    pricing_source: str
    fallback_provider_cost_usd: ExactNumber | None


class CostOut(Data):
    """What an operation costs; dollars of the provider's."""

    estimated_usd: ExactNumber | None
    provider_reported_usd: ExactNumber | None
    credit_pricing: CreditPricingOut


class CapabilityRef(Data):
    """A capability by its id."""

    id: str


class SafetyOut(Data):
    """What policy said."""

    status: Literal["allowed", "denied"]


class JobErrorOut(Data):
    """Why a job ended without an image, or goes on without its caller."""

    code: str
    message: str
    retryable: bool


class JobOut(Data):
    """A job."""

    job_id: str
    status: Literal["queued", "running", "storing", "completed", "failed", "canceled"]
    operation: Literal["create", "edit", "upload"]
    trace_id: str
    capability: CapabilityRef
    created_at: str
    started_at: str | None
    completed_at: str | None
    assets: list[AssetOut]
    cost: CostOut | None
    safety: SafetyOut
    error: JobErrorOut | None
    provenance: dict[str, Any] | None = None


class QuotaOut(Data):
    """What the operation consumed, and what is left."""

    consumed_credits: int
    remaining_credits: int | None
    payment_backed_remaining_credits: int | None


class JobBrief(Data):
    """A job within the answer of the call that began it."""

    job_id: str
    status: str


class RecoveryOut(Data):
    """How to go on with a job that still runs."""

    suggested_command: str
    retry_after_seconds: int


class OperationOut(Data):
    """A create or edit: completed, planned only, or still running."""

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


class UploadRequestOut(Data):
    """What the caller said of the image's origin."""

    source_kind: str
    filename: str
    remote_origin: str | None


class UploadPolicyOut(Data):
    """What policy said of the image."""

    status: Literal["allowed"]


class UploadFactsOut(Data):
    """The bytes that were received; `asset` speaks of those that are served."""

    bytes: int
    mime_type: str
    sha256: str
    policy: UploadPolicyOut


class UploadOut(Data):
    """An image that was taken in."""

    request: UploadRequestOut
    asset: AssetOut
    upload: UploadFactsOut


class AssetReferenceOut(Data):
    """What was asked for."""

    reference: str
    reference_type: Literal["asset_id"]


class ShowAssetOut(Data):
    """One asset."""

    request: AssetReferenceOut
    asset: AssetOut


class AssetsOut(Data):
    """A page of assets, newest first."""

    assets: list[AssetOut]
    next_cursor: str | None


class DeletedOut(Data):
    """An asset that is gone."""

    asset_id: str
    state: Literal["deleted"]


class JobReferenceOut(Data):
    """What was asked for."""

    job_id: str


class ShowJobOut(Data):
    """One job; what callers look for first again at the top."""

    request: JobReferenceOut
    job: JobOut
    status: str
    state: str
    assets: list[AssetOut]
    cost: CostOut | None


class JobsOut(Data):
    """A page of jobs, newest first."""

    jobs: list[JobOut]
    next_cursor: str | None


class CanceledOut(Data):
    """A job that was canceled."""

    job: JobOut
