"""What may happen to an asset after it was made: deleted by its owner, or taken down by staff."""

import structlog
from django.db import transaction

from accounts import audit
from accounts.models import User
from imageskill.lib import clock
from imageskill.lib.queue import enqueue
from jobs import states
from jobs.assets import storage
from jobs.models import Asset, JobInput

log = structlog.get_logger(__name__)

_State = Asset.State


class InvalidAssetState(Exception):
    """The asset's state does not allow this; another process may have been first."""


def delete(asset: Asset) -> None:
    """Delete an asset: its address answers 410 at once, then its bytes go.

    Bytes that an unfinished job still needs, or that storage won't let go of now, are left to
    the nightly task. Deleted already: nothing happens.
    """
    changed = Asset.objects.filter(pk=asset.pk).exclude(state=_State.DELETED)
    changed.update(state=_State.DELETED, state_changed_at=clock.now())
    asset.state = _State.DELETED
    delete_bytes(asset)


def delete_bytes(asset: Asset) -> bool:
    """Remove a deleted asset's bytes; False where that must wait."""
    needed = JobInput.objects.filter(asset=asset, job__status__in=states.OPEN)
    if not asset.storage_key or needed.exists():
        return False
    keys = [key for key in (asset.storage_key, asset.thumbnail_key) if key]
    try:
        storage.delete(*keys)
    except storage.StorageError:
        return False
    Asset.objects.filter(pk=asset.pk).update(storage_key="", thumbnail_key="")
    return True


def withdraw(asset: Asset, *, user: User, reason: str) -> None:
    """Withdraw an asset: its address answers 410, its bytes are kept."""
    _transition(asset, (_State.AVAILABLE, _State.QUARANTINED), _State.WITHDRAWN, user, reason)


def quarantine(asset: Asset, *, user: User, reason: str) -> None:
    """Hide an asset while staff look into it."""
    _transition(asset, (_State.AVAILABLE,), _State.QUARANTINED, user, reason)


def release(asset: Asset, *, user: User, reason: str) -> None:
    """Show a hidden or withdrawn asset again."""
    _transition(asset, (_State.QUARANTINED, _State.WITHDRAWN), _State.AVAILABLE, user, reason)


def recheck(asset: Asset, *, user: User, reason: str) -> None:
    """Queue another check of an asset. Raises `InvalidAssetState` for a deleted one."""
    if asset.state == _State.DELETED:
        raise InvalidAssetState(f"{asset.public_id} is deleted")
    with transaction.atomic():
        audit.record(
            user=user,
            action="asset.check_again",
            subject=asset.public_id,
            reason=reason,
            before={"state": asset.state},
        )
        enqueue("jobs.thumbnail", asset_id=asset.public_id)


def _transition(asset: Asset, sources: tuple[str, ...], to: str, user: User, reason: str) -> None:
    with transaction.atomic():
        moved = Asset.objects.filter(pk=asset.pk, state__in=sources)
        if moved.update(state=to, state_changed_at=clock.now()) != 1:
            raise InvalidAssetState(f"{asset.public_id} is {asset.state}")
        audit.record(
            user=user,
            action=f"asset.{to}",
            subject=asset.public_id,
            reason=reason,
            before={"state": asset.state},
            after={"state": to},
        )
    asset.state = to
