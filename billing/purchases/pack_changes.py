"""Changing what is offered by name: operators at once, finance with a second person."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.models import User
from billing import approvals
from billing.models import CreditPack, PackChange
from imageskill.lib import clock

DIRECT_PERMISSION = "accounts.act_on_catalog"
REQUEST_PERMISSION = "accounts.pack_edit"
_State = PackChange.State


def propose(
    *,
    pack_id: str,
    name: str,
    display_name: str,
    credits: int,
    is_offered: bool,
    is_default: bool,
    reason: str,
    user: User,
) -> PackChange:
    """Ask for a pack to be so from now on, or make it so at once where the person may."""
    is_alone = user.has_perm(DIRECT_PERMISSION)
    with transaction.atomic():
        asked = PackChange.objects.create(
            pack_id=pack_id,
            name=name,
            display_name=display_name,
            credits=credits,
            is_offered=is_offered or is_default,
            is_default=is_default,
            reason=reason,
            requested_by=user,
            needs_second_person=not is_alone,
            expires_at=clock.now() + timedelta(days=settings.REFUND_REQUEST_DAYS),
        )
        if is_alone:
            asked.state, asked.decided_at = _State.APPROVED, clock.now()
            asked.save(update_fields=["state", "decided_at"])
            _apply(asked)
        _record(asked, "pack.change" if is_alone else "pack.propose", user, reason)
    return asked


def approve(*, request_id: int, user: User, note: str = "") -> PackChange:
    """Make somebody else's change; raises NotDecidable."""
    return _decide(request_id, user, note, state=_State.APPROVED)


def reject(*, request_id: int, user: User, note: str) -> PackChange:
    """Leave the pack as it is; raises NotDecidable."""
    return _decide(request_id, user, note, state=_State.TURNED_DOWN)


def _decide(request_id: int, user: User, note: str, *, state: str) -> PackChange:
    with transaction.atomic():
        asked: PackChange = PackChange.objects.select_for_update().get(pk=request_id)
        is_allowed = user.has_perm(REQUEST_PERMISSION) or user.has_perm(DIRECT_PERMISSION)
        approvals.check_can_decide(asked, user=user, is_allowed=is_allowed, now=clock.now())
        asked.state, asked.decided_by = state, user
        asked.decided_at, asked.decision_note = clock.now(), note
        asked.save()
        if state == _State.APPROVED:
            _apply(asked)
        _record(asked, f"pack.{state}", user, note)
    return asked


def _apply(asked: PackChange) -> None:
    if asked.is_default:
        CreditPack.objects.filter(is_default=True).exclude(pack_id=asked.pack_id).update(
            is_default=False, updated_at=clock.now()
        )
    CreditPack.objects.update_or_create(
        pack_id=asked.pack_id,
        defaults={
            "name": asked.name,
            "display_name": asked.display_name,
            "credits": asked.credits,
            "amount_cents": asked.credits,  # one credit is one cent, in a pack too
            "is_offered": asked.is_offered,
            "is_default": asked.is_default,
        },
    )


def _record(asked: PackChange, action: str, user: User, reason: str) -> None:
    audit.record(
        user=user,
        action=action,
        subject=asked.pack_id,
        reason=reason,
        after={
            "credits": asked.credits,
            "is_offered": asked.is_offered,
            "is_default": asked.is_default,
        },
    )
