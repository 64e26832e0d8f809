"""How long prompts, uploads, mails and telemetry are kept: a setting for each, every night."""

from datetime import timedelta

import structlog
from django.conf import settings

from accounts import telemetry
from accounts.mail import alerts, outbox
from imageskill.lib import clock
from jobs import states
from jobs.assets import removal, storage
from jobs.models import Asset, Job, JobInput, Prompt

log = structlog.get_logger(__name__)

_AT_ONCE = 500


def apply() -> dict[str, int]:
    """Let go of everything past its time; gives how much of each kind."""
    gone = {
        "prompts": _prompts(),
        "mails": _mails(),
        "uploads": _uploads(),
        "kept_outputs": _kept_outputs(),
        "telemetry": _telemetry(),
    }
    log.info("retention_applied", **gone)
    return gone


def _telemetry() -> int:
    before = clock.now() - timedelta(days=settings.KEEP_TELEMETRY_DAYS)
    return telemetry.expire(before=before)


def _prompts() -> int:
    before = clock.now() - timedelta(days=settings.KEEP_PROMPTS_DAYS)
    deleted, _ = Prompt.objects.expired(before=before).delete()
    return deleted


def _mails() -> int:
    before = clock.now() - timedelta(days=settings.KEEP_MAILS_DAYS)
    return alerts.forget(before=before) + outbox.expire(before=before)


def _kept_outputs() -> int:
    """Drop outputs that nobody will store any more: a worker died after their job had ended."""
    keys = storage.kept_keys()
    needed = set(
        Job.objects.unfinished()
        .filter(public_id__in=set(keys.values()))
        .values_list("public_id", flat=True)
    )
    gone = [key for key, job_id in keys.items() if job_id not in needed]
    storage.drop_kept(*gone)
    return len(gone)


def _uploads() -> int:
    """Delete old uploads, but for those that an unfinished job still needs."""
    for asset in Asset.objects.filter(state=Asset.State.DELETED).exclude(storage_key=""):
        removal.forget(asset)
    before = clock.now() - timedelta(days=settings.KEEP_UPLOADS_DAYS)
    needed = JobInput.objects.filter(job__status__in=states.OPEN).values("asset_id")
    gone = 0
    while batch := list(
        Asset.objects.uploads(before=before).exclude(pk__in=needed).order_by("id")[:_AT_ONCE]
    ):
        for asset in batch:
            removal.delete(asset)
            gone += 1
    return gone
