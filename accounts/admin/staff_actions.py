"""What is done to people: giving them roles, and taking staff access away."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts import staff
from accounts.models import User
from accounts.roles import DUTIES, ROLES
from imageskill.lib.admin.actions import Asked, Deed, ReasonForm, Refused

_GIVE = "accounts.staff_roles"


class RolesForm(ReasonForm):
    """The roles that somebody has from then on."""

    field_order = ("roles", "reason")
    roles = forms.MultipleChoiceField(
        choices=[(role, role) for role in ROLES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Exactly these; what is not chosen is taken away.",
    )


def _calling(verb: Callable[..., None], done: str) -> Callable[[User, Asked], str]:
    def perform(user: User, asked: Asked) -> str:
        try:
            verb(user=user, by=asked.user, reason=asked.reason, **asked.fields)
        except staff.Refused as refusal:
            raise Refused(str(refusal)) from refusal
        return done

    return perform


def _now(user: User) -> str:
    roles = ["everything"] if user.is_superuser else staff.roles_of(user)
    if not user.is_staff:
        return f"{user.email} is not staff."
    return f"{user.email} is staff as {', '.join(roles) or 'nothing in particular'}."


def _means(user: User) -> Sequence[str]:
    return (
        _now(user),
        "They are staff with exactly the roles that you choose.",
        "All their sessions end; the console asks them for a second factor.",
    )


def _means_with(user: User, fields: dict[str, Any]) -> Sequence[str]:
    chosen = set().union(*(ROLES[role] for role in fields["roles"]))
    return (*_means(user), *(f"They may {DUTIES[name]}." for name in DUTIES if name in chosen))


DEEDS: Sequence[Deed] = (
    Deed(
        name="roles",
        label="Set roles",
        permission=_GIVE,
        preview=_means,
        preview_with=_means_with,
        perform=_calling(staff.set_roles, "The roles are set; they sign in anew."),
        form=RolesForm,
        form_for=lambda user: {"roles": staff.roles_of(user)},
        standing_of=staff.roles_of,
        is_open=lambda user: user.is_active and not user.is_superuser,
        is_sensitive=True,
    ),
    Deed(
        name="remove",
        label="Take staff access away",
        permission=_GIVE,
        preview=lambda user: (
            _now(user),
            "The console is closed to them at once, and all their sessions end.",
            "As a sponsor they keep their agents. What they did stays in the audit.",
        ),
        perform=_calling(staff.remove, "They are no longer staff."),
        standing_of=staff.roles_of,
        is_open=lambda user: user.is_staff or user.is_superuser,
        is_sensitive=True,
        is_destructive=True,
    ),
)
