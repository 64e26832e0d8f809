"""What the API answers of jobs and assets; each is built once, where its endpoint says."""

from typing import Any, Literal

from pydantic import Field

from billing.purchases.purchase_hints import SelfFundOut
from imageskill.lib.schemas import Data
from jobs.planning.prices import CostOut
from jobs.registry.operations import Operation
from jobs.submission.guide import Stage

JobStatus = Literal["queued", "running", "storing", "completed", "failed", "canceled"]
JobOperation = Literal["create", "edit", "upload"]
AssetKind = Literal["generated", "uploaded"]


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
