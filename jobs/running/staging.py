"""From a provider's result to staged outputs: clean, decode, stage, record (ADR 11 and 12)."""

import tempfile
from decimal import Decimal
from functools import partial
from typing import BinaryIO, cast

import structlog
from django.conf import settings

from imageskill.lib import database
from imageskill.lib.errors import ApiError
from jobs import states
from jobs.assets import storage
from jobs.assets.storage import ArtifactStorageWriteFailed
from jobs.images import decoding
from jobs.models import Job, Loss
from jobs.providers import batches
from jobs.providers.failures import ProviderFailure
from jobs.providers.interface import MissingOutput, Output, ProviderResult
from jobs.running import lifecycle
from jobs.running.lifecycle import DecodedOutput, JobFailure

log = structlog.get_logger(__name__)


def stage(job: Job, result: ProviderResult) -> bool:
    """Clean and stage every output, then record the result; False where the job failed or ended.

    Staged first: a storage that is down must not cost a second run (ADR 12). Decoded first of
    all, in a child process: nobody pays for an image that can't be opened (ADR 11), and those of a
    batch that can be are delivered.
    """
    usd = result.cost_usd if result.cost_usd is not None else job.planned_usd
    try:
        staged = [_stage_output(job, index, output) for index, output in enumerate(result.outputs)]
    except storage.StorageError:
        _fail_with_loss(job, usd, ArtifactStorageWriteFailed, Loss.Reason.NOT_STORED)
        return False
    finally:
        batches.close(result.outputs)
    outputs = [output for output in staged if output is not None]
    if not outputs:
        message = "The provider's output could not be opened as an image; nothing was charged."
        _fail_with_loss(job, usd, ProviderFailure, Loss.Reason.UNDECODABLE, message=message)
        return False
    broken = [MissingOutput(reason="broken")] * (len(staged) - len(outputs))
    record = partial(
        lifecycle.stage_outputs,
        job,
        outputs=outputs,
        missing=[*result.missing, *broken],
        reported_usd=result.cost_usd,
        usage=result.usage,
        request_id=result.request_id,
    )
    if database.retry_on_disconnect(record):
        return True
    _discard(job, outputs, usd)
    return False


def _stage_output(job: Job, index: int, output: Output) -> DecodedOutput | None:
    """Clean an output of what its maker wrote into it, and stage it; None where it can't open."""
    with tempfile.TemporaryFile() as cleaned:
        target = cast("BinaryIO", cleaned)
        try:
            image = decoding.sanitize(
                output.file, target, keep_manifest=settings.KEEP_CONTENT_CREDENTIALS
            )
        except decoding.UndecodableImage as refusal:
            log.warning("output_undecodable", refusal=str(refusal))
            return None
        facts = storage.measure(target)
        key = storage.staging_key(job.public_id, index)
        storage.stage(key, target)
    return DecodedOutput(
        index=index,
        kept_key=key,
        mime_type=image.mime_type,
        width=image.width,
        height=image.height,
        content_length=facts.content_length,
        sha256=facts.sha256,
        manifest=image.manifest,
        min_luma=image.min_luma,
        min_alpha=image.min_alpha,
        conversions=image.conversions,
    )


def _discard(job: Job, outputs: list[DecodedOutput], usd: Decimal | None) -> None:
    """Discard outputs that came after the job's end; not those that were recorded before."""
    job.refresh_from_db()
    # Storing or completed: another worker recorded these very outputs under the same keys.
    if job.is_final and job.status != states.COMPLETED:
        storage.discard_staged(*(output.kept_key for output in outputs))
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
