"""Who is staff, and in which roles: given and taken by others, never by oneself."""

from collections.abc import Collection

from django.contrib.auth.models import Group
from django.db import transaction

from accounts import audit
from accounts.models import User
from accounts.staff.roles import ROLES


class StaffChangeRefused(Exception):
    """This person's standing can't be changed like that; the text says why."""


def role_names(user: User) -> list[str]:
    """Return the names of the person's roles, in order."""
    return sorted(group.name for group in user.groups.all())


def set_roles(*, user: User, by: User, roles: Collection[str], reason: str) -> None:
    """Make the person staff with exactly these roles; all their sessions end.

    Their next visit to the console asks for a second factor, as everybody's does. Raises
    `Refused` on oneself, on who is not active or has all rights, for no role or no known one,
    and where nothing would change.
    """
    with transaction.atomic():
        locked = _lock(user, by)
        before = role_names(locked)
        if not locked.is_active:
            raise StaffChangeRefused("This account is closed.")
        if locked.is_superuser:
            raise StaffChangeRefused(
                "They have all rights. Take staff access away first, then give roles."
            )
        if not roles or not set(roles) <= set(ROLES):
            raise StaffChangeRefused("Choose at least one of the roles, or take staff access away.")
        if locked.is_staff and before == sorted(roles):
            raise StaffChangeRefused("They have these roles already.")
        locked.is_staff = True
        locked.groups.set(Group.objects.filter(name__in=roles))
        _end_sessions(locked)
        _audit(locked, by, "staff.set_roles", reason, before=before, after=sorted(roles))


def remove_access(*, user: User, by: User, reason: str) -> None:
    """Take all roles and rights from the person, whose sessions end; a sponsor they stay.

    Raises `Refused` on oneself, on who has all rights unless one has them too, and on who was
    not staff.
    """
    with transaction.atomic():
        locked = _lock(user, by)
        if not (locked.is_staff or locked.is_superuser):
            raise StaffChangeRefused("They are not staff.")
        before = ["everything"] if locked.is_superuser else role_names(locked)
        locked.is_staff = locked.is_superuser = False
        locked.groups.clear()
        locked.user_permissions.clear()
        _end_sessions(locked)
        _audit(locked, by, "staff.remove", reason, before=before, after=[])


def _lock(user: User, by: User) -> User:
    locked = User.objects.select_for_update().get(pk=user.pk)
    if locked.pk == by.pk:
        raise StaffChangeRefused("Somebody else has to change your own access.")
    if locked.is_superuser and not by.is_superuser:
        raise StaffChangeRefused(
            "They have all rights; only somebody who has them too can take them away."
        )
    return locked


def _end_sessions(user: User) -> None:
    """Save the person with a new unusable password: each session carries a hash of the old one."""
    user.set_unusable_password()
    user.save(update_fields=["is_staff", "is_superuser", "password"])


def _audit(
    user: User, by: User, action: str, reason: str, *, before: list[str], after: list[str]
) -> None:
    audit.record(
        user=by,
        action=action,
        subject=user.email[:128],
        reason=reason,
        before={"roles": before},
        after={"roles": after},
    )
