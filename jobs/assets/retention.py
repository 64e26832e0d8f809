"""How long prompts, uploads, mails and telemetry are kept: a setting for each, every night."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings

from accounts import telemetry
from accounts.mail import alerts, outbox
from imageskill.lib import clock
from jobs import states
from jobs.assets import removal, storage
from jobs.models import Asset, Job, JobInput, Prompt

log = structlog.get_logger(__name__)

_BATCH_SIZE = 500


def expires_at(asset: Asset) -> datetime | None:
    """Return when an asset is deleted: uploads after a while, generated images never."""
    if asset.kind != Asset.Kind.UPLOADED:
        return None
    days = settings.KEEP_UPLOADS_DAYS if asset.is_used else unused_upload_days()
    return asset.created_at + timedelta(days=days)


def enforce() -> dict[str, int]:
    """Delete everything past its retention; return how much of each kind."""
    gone = {
        "prompts": _expire_prompts(),
        "mails": _expire_mails(),
        "uploads": _expire_uploads(),
        "staged_outputs": _expire_staged_outputs(),
        "telemetry": _expire_telemetry(),
    }
    log.info("retention_applied", **gone)
    return gone


def _expire_telemetry() -> int:
    before = clock.now() - timedelta(days=settings.KEEP_TELEMETRY_DAYS)
    return telemetry.expire(before=before)


def _expire_prompts() -> int:
    before = clock.now() - timedelta(days=settings.KEEP_PROMPTS_DAYS)
    deleted, _ = Prompt.objects.expired(before=before).delete()
    return deleted


def _expire_mails() -> int:
    before = clock.now() - timedelta(days=settings.KEEP_MAILS_DAYS)
    return alerts.purge_facts(before=before) + outbox.expire(before=before)


def _expire_staged_outputs() -> int:
    """Delete staged outputs of ended jobs: their worker died before it could."""
    keys = storage.list_staged()
    needed = set(
        Job.objects.unfinished()
        .filter(public_id__in=set(keys.values()))
        .values_list("public_id", flat=True)
    )
    gone = [key for key, job_id in keys.items() if job_id not in needed]
    storage.discard_staged(*gone)
    return len(gone)


def _expire_uploads() -> int:
    """Delete old uploads, but for those that an unfinished job still needs."""
    for asset in Asset.objects.filter(state=Asset.State.DELETED).exclude(storage_key=""):
        removal.delete_bytes(asset)
    now = clock.now()
    expired = Asset.objects.expired_uploads(
        before=now - timedelta(days=settings.KEEP_UPLOADS_DAYS),
        unused_before=now - timedelta(days=unused_upload_days()),
    )
    needed = JobInput.objects.filter(job__status__in=states.OPEN).values("asset_id")
    gone = 0
    while batch := list(expired.exclude(pk__in=needed).order_by("id")[:_BATCH_SIZE]):
        for asset in batch:
            removal.delete(asset)
            gone += 1
    return gone


def unused_upload_days() -> int:
    """Return for how many days an upload is kept that no job has named."""
    return min(settings.KEEP_UNUSED_UPLOADS_DAYS, settings.KEEP_UPLOADS_DAYS)
