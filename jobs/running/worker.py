"""What a worker does with a job, from its first step to its end.

Every step leaves a durable mark before the next begins (ADR 12), so that a worker killed anywhere
leaves a job that another can go on with. Started and no call recorded: it is called. A request
id: it is collected. A call without an id: its outcome is unknown. Staged outputs: they are
stored. Calls to providers are made outside of transactions and hold no database connection.
"""

from decimal import Decimal
from functools import partial

import structlog

from imageskill.lib import clock, database, trace
from jobs import states
from jobs.assets import storage
from jobs.catalog import switches
from jobs.models import Job, Loss
from jobs.providers import calls, concurrency, refusals
from jobs.providers.failures import (
    BROKEN_RUN,
    OUTCOME_UNKNOWN,
    POLICY,
    TIMED_OUT,
    TRANSIENT,
    UNAVAILABLE,
    ProviderError,
)
from jobs.providers.interface import (
    ProviderRequest,
    ProviderResult,
    Submission,
)
from jobs.running import leases, lifecycle, provider_inputs, provider_requests, staging
from jobs.running.lifecycle import JobFailure

log = structlog.get_logger(__name__)

_PAUSE_S = 10
_RETRYABLE_FAILURES = {TRANSIENT, UNAVAILABLE, OUTCOME_UNKNOWN}
_LOSS_REASONS = {POLICY: Loss.Reason.BILLED_REFUSAL, BROKEN_RUN: Loss.Reason.BROKEN_RUN}


def run(job_id: str) -> None:
    """Claim a job and run it until it ends or waits; do nothing where another worker has it."""
    job = Job.objects.select_related("agent").filter(public_id=job_id).first()
    lease = leases.new_id()
    if job is None or not _claim(job, lease):
        return
    with leases.renewing(lease):
        trace.begin(job.trace_id)
        structlog.contextvars.bind_contextvars(job_id=job_id)
        if job.status == states.RUNNING:
            _generate(job)
        # Not `else`: a job whose outputs have just been staged goes on here without a new message.
        if job.status == states.STORING:
            store(job)


def _claim(job: Job, lease: str) -> bool:
    """Claim the job where its provider has room for it: one that waits for room holds no thread.

    A message may come twice or late (ADR 3): the row decides, and only one update changes it.
    """
    claim = lifecycle.start if job.status == states.QUEUED else lifecycle.resume
    if not job.is_final and (job.call_began_at or _has_room(job)) and claim(job, lease=lease):
        return True
    if job.is_final:  # canceled, perhaps, while it waited for room
        concurrency.release(job.provider_id, job.public_id)
    return False


def _has_room(job: Job) -> bool:
    """Take the job's place at its provider; False where it has to wait, and is sent again then."""
    until = job.deadline_at or clock.now()
    return concurrency.acquire(job.provider_id, job.public_id, until=until)


def store(job: Job) -> None:
    """Store the staged outputs, then complete the job; on failure the sweeper sends it again."""
    staged = list(job.staged_outputs.order_by("index"))
    try:
        # Keys were minted when the outputs were staged: storing again writes over the first try.
        for output in staged:
            key = storage.asset_key(output.asset_public_id, output.extension)
            with storage.open_staged(output.kept_key) as file:
                storage.write(key, file)
    except storage.StorageError:
        lifecycle.record_storage_failure(job)
        return
    if not lifecycle.complete(job, staged, stored_at=clock.now()):
        log.info("job_ended_elsewhere", status=job.status)


def cancel_at_provider(job_id: str) -> None:
    """Cancel at the provider a job that was canceled or timed out; it may be too late."""
    job = Job.objects.get(public_id=job_id)
    if not job.provider_request_id:
        return  # no id to cancel by: the worker that submits finds the job ended, and cancels it
    database.release_connection()
    try:
        answer = calls.cancel(job.provider_id, _stored_submission(job))
    except ProviderError as error:
        answer = "unsupported"
        log.warning("not_canceled_at_provider", reason=error.reason)
    # The run goes on and will be billed, while its owner's hold went back: the cost is ours.
    if job.status == states.CANCELED and answer in {"too_late", "unsupported"}:
        lifecycle.record_loss(job, reason=Loss.Reason.CANCELED, usd=job.planned_usd)


def _generate(job: Job) -> None:
    """Get the result from the provider and stage it; or fail, mark or pause the job."""
    # A call that began and left no id may have been run and billed: never again (ADR 7 and 12).
    if job.call_began_at is not None and not job.provider_request_id:
        lifecycle.mark_outcome_unknown(job)
        return
    request = provider_requests.build(job)
    try:
        result = _collect(job, request) if job.provider_request_id else _submit(job, request)
    except ProviderError as error:
        # The provider says it once: what it means must reach the row although the database is gone.
        database.retry_on_disconnect(partial(_handle_failure, job, error))
        return
    if result is None or not staging.stage(job, result):
        job.refresh_from_db()  # paused, ended or unknown by now; `run` must not store it


def _submit(job: Job, request: ProviderRequest) -> ProviderResult | None:
    if switches.disabled().names(model_id=job.model_id, provider_id=job.provider_id):
        raise ProviderError(UNAVAILABLE, reason="switched_off")  # since the job was queued
    # A call lasts minutes: kept connections of 64 threads would leave none for the web (ADR 12).
    database.release_connection()
    with provider_inputs.prepared(request) as ready:
        answer = calls.submit(job.provider_id, ready, begin=partial(_record_call, job))
    if answer is None or isinstance(answer, ProviderResult):
        return answer
    # Lost, this id would turn a run that we could collect into one of unknown outcome.
    if not database.retry_on_disconnect(partial(lifecycle.record_submission, job, answer)):
        cancel_at_provider(job.public_id)
        return None
    return _collect(job, request)


def _record_call(job: Job) -> bool:
    """Record the call; False where the job was canceled meanwhile, or is called elsewhere."""
    is_recorded = lifecycle.record_call(job)
    database.release_connection()
    return is_recorded


def _collect(job: Job, request: ProviderRequest) -> ProviderResult | None:
    """Wait for the result; where the provider can't be asked now, pause the job."""
    database.release_connection()
    try:
        return calls.collect(job.provider_id, _stored_submission(job), request)
    except ProviderError as error:
        # The run itself goes on and can be collected later, so asking again costs nothing.
        if error.failure not in _RETRYABLE_FAILURES or clock.now() >= request.deadline:
            raise
        log.warning("provider_not_reached", reason=error.reason)
        lifecycle.pause(job, seconds=error.retry_after_s or _PAUSE_S)
        return None


def _handle_failure(job: Job, error: ProviderError) -> None:
    log.warning("provider_failed", failure=error.failure.name, reason=error.reason)
    concurrency.release(job.provider_id, job.public_id)  # it may have failed before the call
    if error.failure is TIMED_OUT:
        _try_cancel(job)
    # With a request id the run can still be asked about, so only a submit's outcome is unknown.
    if not error.failure.is_ended and not job.provider_request_id:
        lifecycle.mark_outcome_unknown(job)
        return
    loss, usd = _loss_for(job, error)
    ending = JobFailure(
        error=error.failure.error,
        failure=error.failure.name,
        message=refusals.sentence(error.refusal),
        refusal=error.refusal,
        retry_after_s=error.retry_after_s,
        loss=loss,
        loss_usd=usd,
    )
    lifecycle.fail(job, ending)


def _loss_for(job: Job, error: ProviderError) -> tuple[Loss.Reason | None, Decimal | None]:
    """Return what the house may have lost: the reported cost, or else the whole plan's."""
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


def _stored_submission(job: Job) -> Submission:
    return Submission(request_id=job.provider_request_id, state=job.provider_state or {})
