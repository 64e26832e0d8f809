"""What a worker does with a job, from its first step to its end.

Every step leaves a durable mark before the next begins, so that a worker killed anywhere leaves
a job that another can go on with: begun and no call noted, it is called; a request id, it is
collected; a call without an id, its outcome is unknown; outputs kept, they are stored. Calls to
providers stand outside of transactions, and no connection is kept while one lasts.
"""

from decimal import Decimal
from functools import partial

import structlog

from imageskill.lib import clock, database, trace
from imageskill.lib.errors import ApiError
from jobs import states
from jobs.assets import storage
from jobs.assets.storage import ArtifactStorageWriteFailed
from jobs.catalog import switches
from jobs.images import decoding
from jobs.models import Job, Loss
from jobs.providers import calls
from jobs.providers.failures import (
    BROKEN_RUN,
    OUTCOME_UNKNOWN,
    POLICY,
    TIMED_OUT,
    TRANSIENT,
    UNAVAILABLE,
    ProviderError,
    ProviderFailure,
)
from jobs.providers.interface import Output, ProviderRequest, ProviderResult, Submission
from jobs.running import leases, lifecycle, provider_requests
from jobs.running.lifecycle import DecodedOutput, JobFailure

log = structlog.get_logger(__name__)

_PAUSE_S = 10
_RETRYABLE_FAILURES = {TRANSIENT, UNAVAILABLE, OUTCOME_UNKNOWN}
_LOSS_REASONS = {POLICY: Loss.Reason.BILLED_REFUSAL, BROKEN_RUN: Loss.Reason.BROKEN_RUN}


def run(job_id: str) -> None:
    """Take a job in hand and bring it as far as it goes; nothing where somebody else has it."""
    lease = leases.new_id()
    if not (lifecycle.start(job_id, lease=lease) or lifecycle.resume(job_id, lease=lease)):
        return
    with leases.renewing(lease):
        job = Job.objects.select_related("agent").get(public_id=job_id)
        trace.set_current(job.trace_id)
        structlog.contextvars.bind_contextvars(job_id=job_id, trace_id=job.trace_id)
        if job.status == states.RUNNING:
            _generate(job)
        if job.status == states.STORING:
            store(job)


def store(job: Job) -> None:
    """Store what was kept, then complete the job; on failure repair comes back to it."""
    kept = list(job.staged_outputs.order_by("index"))
    try:
        for one in kept:
            key = storage.asset_key(one.asset_public_id, one.extension)
            with storage.open_staged(one.kept_key) as file:
                storage.write(key, file)
    except storage.StorageError:
        lifecycle.record_storage_failure(job)
        return
    if not lifecycle.complete(job, kept, stored_at=clock.now()):
        log.info("job_ended_elsewhere", status=job.status)


def cancel_at_provider(job_id: str) -> None:
    """Ask the provider to stop a job that was canceled or given up; as well as it can."""
    job = Job.objects.get(public_id=job_id)
    if not job.provider_request_id:
        return  # the worker that submits comes by and finds it canceled
    database.release_connection()
    try:
        answer = calls.cancel(job.provider_id, _stored_submission(job))
    except ProviderError as error:
        answer = "unsupported"
        log.warning("not_canceled_at_provider", reason=error.reason)
    if job.status == states.CANCELED and answer in {"too_late", "unsupported"}:
        lifecycle.record_loss(job, reason=Loss.Reason.CANCELED, usd=job.planned_usd)


def _generate(job: Job) -> None:
    """Get the outcome from the provider and keep it; or end, mark or lay down the job."""
    if job.call_began_at is not None and not job.provider_request_id:
        lifecycle.mark_outcome_unknown(job)
        return
    order = provider_requests.build(job)
    try:
        outcome = _collect(job, order) if job.provider_request_id else _submit(job, order)
    except ProviderError as error:
        database.retry_on_disconnect(partial(_handle_failure, job, error))
        return
    if outcome is None or not _stage(job, outcome):
        job.refresh_from_db()


def _submit(job: Job, order: ProviderRequest) -> ProviderResult | None:
    if switches.disabled().names(model_id=job.model_id, provider_id=job.provider_id):
        raise ProviderError(UNAVAILABLE, reason="switched_off")  # since the job was queued
    database.release_connection()
    answer = calls.submit(job.provider_id, order, begin=partial(_record_call, job))
    if answer is None or isinstance(answer, ProviderResult):
        return answer
    if not database.retry_on_disconnect(partial(lifecycle.record_submission, job, answer)):
        cancel_at_provider(job.public_id)
        return None
    return _collect(job, order)


def _record_call(job: Job) -> bool:
    """Note the call; False where the job was canceled meanwhile, or is begun elsewhere."""
    begun = lifecycle.record_call(job)
    database.release_connection()
    return begun


def _collect(job: Job, order: ProviderRequest) -> ProviderResult | None:
    """Wait for the outcome; where the provider can't be asked now, lay the job down."""
    database.release_connection()
    try:
        return calls.collect(job.provider_id, _stored_submission(job), order)
    except ProviderError as error:
        if error.failure not in _RETRYABLE_FAILURES or clock.now() >= order.deadline:
            raise
        log.warning("provider_not_reached", reason=error.reason)
        lifecycle.pause(job, seconds=error.retry_after_s or _PAUSE_S)
        return None


def _handle_failure(job: Job, error: ProviderError) -> None:
    log.warning("provider_failed", failure=error.failure.name, reason=error.reason)
    if error.failure is TIMED_OUT:
        _try_cancel(job)
    if not error.failure.is_ended and not job.provider_request_id:
        lifecycle.mark_outcome_unknown(job)
        return
    loss, usd = _loss_for(job, error)
    ending = JobFailure(
        error=error.failure.error,
        failure=error.failure.name,
        retry_after_s=error.retry_after_s,
        loss=loss,
        loss_usd=usd,
    )
    lifecycle.fail(job, ending)


def _loss_for(job: Job, error: ProviderError) -> tuple[Loss.Reason | None, Decimal | None]:
    """Return what the house may have lost: what was reported, or else the whole plan."""
    usd = error.cost_usd or job.planned_usd
    if error.failure is TIMED_OUT:
        return Loss.Reason.TOO_LATE, usd
    if error.cost_usd or error.is_billed:
        return _LOSS_REASONS.get(error.failure), usd
    return None, None


def _try_cancel(job: Job) -> None:
    if job.provider_request_id:
        try:
            calls.cancel(job.provider_id, _stored_submission(job))
        except ProviderError as error:
            log.warning("not_canceled_at_provider", reason=error.reason)


def _stage(job: Job, outcome: ProviderResult) -> bool:
    """Decode every output, put it where it waits, take the outcome over; False where it is lost."""
    usd = outcome.cost_usd if outcome.cost_usd is not None else job.planned_usd
    try:
        made = [_stage_output(job, index, output) for index, output in enumerate(outcome.outputs)]
    except decoding.UndecodableImage as refusal:
        log.warning("output_undecodable", refusal=str(refusal))
        message = "The provider's output could not be opened as an image; nothing was charged."
        _fail_with_loss(job, usd, ProviderFailure, Loss.Reason.UNDECODABLE, message=message)
        return False
    except storage.StorageError:
        _fail_with_loss(job, usd, ArtifactStorageWriteFailed, Loss.Reason.NOT_STORED)
        return False
    finally:
        for output in outcome.outputs:
            output.file.close()
    keep = partial(
        lifecycle.stage_outputs,
        job,
        outputs=made,
        reported_usd=outcome.cost_usd,
        usage=outcome.usage,
        request_id=outcome.request_id,
    )
    if database.retry_on_disconnect(keep):
        return True
    _discard(job, made, usd)
    return False


def _discard(job: Job, made: list[DecodedOutput], usd: Decimal | None) -> None:
    """Drop outputs that came after the job's end; not those that were taken over before."""
    job.refresh_from_db()
    if job.is_final and job.status != states.COMPLETED:
        storage.discard_staged(*(one.kept_key for one in made))
        lifecycle.record_loss(job, reason=Loss.Reason.CANCELED, usd=usd)


def _fail_with_loss(
    job: Job,
    usd: Decimal | None,
    error: type[ApiError],
    loss: Loss.Reason,
    *,
    message: str = "",
) -> None:
    ending = JobFailure(error=error, message=message, loss=loss, loss_usd=usd)
    database.retry_on_disconnect(partial(lifecycle.fail, job, ending))


def _stored_submission(job: Job) -> Submission:
    return Submission(request_id=job.provider_request_id, state=job.provider_state or {})


def _stage_output(job: Job, index: int, output: Output) -> DecodedOutput:
    image = decoding.inspect(output.file)
    facts = storage.measure(output.file)
    key = storage.staging_key(job.public_id, index)
    storage.stage(key, output.file)
    return DecodedOutput(
        index=index,
        kept_key=key,
        mime_type=image.mime_type,
        width=image.width,
        height=image.height,
        content_length=facts.content_length,
        sha256=facts.sha256,
    )
