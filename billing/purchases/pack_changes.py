"""Changes of credit packs: operators make them directly, finance with a second person."""

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
    """Request a pack's new terms, or apply them at once where the person is allowed to."""
    is_direct = user.has_perm(DIRECT_PERMISSION)
    with transaction.atomic():
        change = PackChange.objects.create(
            pack_id=pack_id,
            name=name,
            display_name=display_name,
            credits=credits,
            is_offered=is_offered or is_default,
            is_default=is_default,
            reason=reason,
            requested_by=user,
            needs_second_person=not is_direct,
            expires_at=clock.now() + timedelta(days=settings.REFUND_REQUEST_DAYS),
        )
        if is_direct:
            change.state, change.decided_at = _State.APPROVED, clock.now()
            change.save(update_fields=["state", "decided_at"])
            _apply(change)
        _record(change, "pack.change" if is_direct else "pack.propose", user, reason)
    return change


def approve(*, request_id: int, user: User, note: str = "") -> PackChange:
    """Apply somebody else's request; raises DecisionRefused."""
    return _decide(request_id, user, note, state=_State.APPROVED)


def reject(*, request_id: int, user: User, note: str) -> PackChange:
    """Reject somebody else's request; raises DecisionRefused."""
    return _decide(request_id, user, note, state=_State.TURNED_DOWN)


def _decide(request_id: int, user: User, note: str, *, state: str) -> PackChange:
    with transaction.atomic():
        change: PackChange = PackChange.objects.select_for_update().get(pk=request_id)
        is_allowed = user.has_perm(REQUEST_PERMISSION) or user.has_perm(DIRECT_PERMISSION)
        approvals.check_can_decide(change, user=user, is_allowed=is_allowed, now=clock.now())
        change.state, change.decided_by = state, user
        change.decided_at, change.decision_note = clock.now(), note
        change.save()
        if state == _State.APPROVED:
            _apply(change)
        _record(change, f"pack.{state}", user, note)
    return change


def _apply(change: PackChange) -> None:
    if change.is_default:
        CreditPack.objects.filter(is_default=True).exclude(pack_id=change.pack_id).update(
            is_default=False, updated_at=clock.now()
        )
    CreditPack.objects.update_or_create(
        pack_id=change.pack_id,
        defaults={
            "name": change.name,
            "display_name": change.display_name,
            "credits": change.credits,
            "amount_cents": change.credits,  # one credit is one cent, in a pack too
            "is_offered": change.is_offered,
            "is_default": change.is_default,
        },
    )


def _record(change: PackChange, action: str, user: User, reason: str) -> None:
    audit.record(
        user=user,
        action=action,
        subject=change.pack_id,
        reason=reason,
        after={
            "credits": change.credits,
            "is_offered": change.is_offered,
            "is_default": change.is_default,
        },
    )
