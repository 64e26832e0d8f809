"""Who is staff and in which roles. Nobody changes their own access."""

from collections.abc import Collection

from django.contrib.auth.models import Group
from django.db import transaction

from accounts import audit
from accounts.mail import alerts
from accounts.models import Alert, AuditLine, User
from accounts.staff.roles import MONEY_APPROVALS, ROLES


class StaffChangeRefused(Exception):
    """This change of a user's access is not allowed; the message says why."""


def role_names(user: User) -> list[str]:
    """Return the names of the user's roles, sorted."""
    return sorted(group.name for group in user.groups.all())


def set_roles(*, user: User, by: User, roles: Collection[str], reason: str) -> None:
    """Make a user staff with exactly these roles and end all their sessions.

    Their next visit to the console asks for a second factor. Every superuser is told of a role that
    approves money, at once, so that nobody hands it out unseen. Raises `StaffChangeRefused` for
    oneself, for an inactive user or a superuser, for no role or an unknown one, and if nothing
    would change.
    """
    with transaction.atomic():
        locked = _lock(user, by)
        before = role_names(locked)
        if not locked.is_active:
            raise StaffChangeRefused("This account is not active.")
        if locked.is_superuser:
            raise StaffChangeRefused(
                "This user is a superuser. Remove staff access first, then set roles."
            )
        if not roles or not set(roles) <= set(ROLES):
            raise StaffChangeRefused("Select at least one role, or remove staff access.")
        if locked.is_staff and before == sorted(roles):
            raise StaffChangeRefused("This user already has exactly these roles.")
        locked.is_staff = True
        locked.groups.set(Group.objects.filter(name__in=roles))
        _end_sessions(locked)
        line = _audit(locked, by, "staff.set_roles", reason, before=before, after=sorted(roles))
        if _approves_money(roles) and not _approves_money(before):
            _notify_superusers(locked, by, reason, cause=str(line.pk), roles=roles)


def remove_access(*, user: User, by: User, reason: str) -> None:
    """Remove all roles and permissions from a user and end their sessions.

    They remain a sponsor. Raises `StaffChangeRefused` for oneself, for a superuser unless `by`
    is one too, and for a user who is not staff.
    """
    with transaction.atomic():
        locked = _lock(user, by)
        if not (locked.is_staff or locked.is_superuser):
            raise StaffChangeRefused("This user is not staff.")
        before = ["everything"] if locked.is_superuser else role_names(locked)
        locked.is_staff = locked.is_superuser = False
        locked.groups.clear()
        locked.user_permissions.clear()
        _end_sessions(locked)
        _audit(locked, by, "staff.remove", reason, before=before, after=[])


def _lock(user: User, by: User) -> User:
    locked = User.objects.select_for_update().get(pk=user.pk)
    if locked.pk == by.pk:
        raise StaffChangeRefused("You can't change your own access.")
    if locked.is_superuser and not by.is_superuser:
        raise StaffChangeRefused(
            "This user is a superuser; only another superuser can remove their access."
        )
    return locked


def _approves_money(roles: Collection[str]) -> bool:
    return any(MONEY_APPROVALS & ROLES.get(name, frozenset()) for name in roles)


def _notify_superusers(
    user: User, by: User, reason: str, *, cause: str, roles: Collection[str]
) -> None:
    """Email every superuser; where there is none, everybody else who may hand out roles."""
    others = User.objects.filter(is_active=True).exclude(pk=user.pk)
    operators = others.filter(is_staff=True, groups__permissions__codename="staff_roles")
    told = others.filter(is_superuser=True) or operators.exclude(pk=by.pk).distinct()
    facts = {"agent": user.email, "by": by.email, "reason": reason, "roles": ", ".join(roles)}
    for person in told:
        alerts.notify(person, Alert.Kind.MONEY_ROLE, f"user:{user.pk}", cause=cause, facts=facts)


def _end_sessions(user: User) -> None:
    """Save the user with a new unusable password: every session holds a hash of the old one."""
    user.set_unusable_password()
    user.save(update_fields=["is_staff", "is_superuser", "password"])


def _audit(
    user: User, by: User, action: str, reason: str, *, before: list[str], after: list[str]
) -> AuditLine:
    return audit.record(
        user=by,
        action=action,
        subject=user.email[:128],
        reason=reason,
        before={"roles": before},
        after={"roles": after},
    )
