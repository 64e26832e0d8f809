"""What is done to people: giving them roles, and taking staff access away."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.models import User
from accounts.staff import membership
from accounts.staff.roles import PERMISSIONS, ROLES
from imageskill.lib.admin.actions import ActionForm, ActionRefused, ActionRequest, StaffAction

_PERMISSION = "accounts.staff_roles"


class RolesForm(ActionForm):
    """The roles that somebody has from then on."""

    field_order = ("roles", "reason")
    roles = forms.MultipleChoiceField(
        choices=[(role, role) for role in ROLES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Exactly these; what is not chosen is taken away.",
    )


def _perform_with(verb: Callable[..., None], done: str) -> Callable[[User, ActionRequest], str]:
    def perform(user: User, action: ActionRequest) -> str:
        try:
            verb(user=user, by=action.user, reason=action.reason, **action.fields)
        except membership.StaffChangeRefused as refusal:
            raise ActionRefused(str(refusal)) from refusal
        return done

    return perform


def _describe_roles(user: User) -> str:
    roles = ["everything"] if user.is_superuser else membership.role_names(user)
    if not user.is_staff:
        return f"{user.email} is not staff."
    return f"{user.email} is staff as {', '.join(roles) or 'nothing in particular'}."


def _describe_change(user: User) -> Sequence[str]:
    return (
        _describe_roles(user),
        "They are staff with exactly the roles that you choose.",
        "All their sessions end; the console asks them for a second factor.",
    )


def _describe_change_with(user: User, fields: dict[str, Any]) -> Sequence[str]:
    chosen = set().union(*(ROLES[role] for role in fields["roles"]))
    return (
        *_describe_change(user),
        *(f"They may {PERMISSIONS[name]}." for name in PERMISSIONS if name in chosen),
    )


USER_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="roles",
        label="Set roles",
        permission=_PERMISSION,
        preview=_describe_change,
        preview_fields=_describe_change_with,
        perform=_perform_with(membership.set_roles, "The roles are set; they sign in anew."),
        form=RolesForm,
        initial_values=lambda user: {"roles": membership.role_names(user)},
        extra_state=membership.role_names,
        is_open=lambda user: user.is_active and not user.is_superuser,
        is_sensitive=True,
    ),
    StaffAction(
        name="remove",
        label="Take staff access away",
        permission=_PERMISSION,
        preview=lambda user: (
            _describe_roles(user),
            "The console is closed to them at once, and all their sessions end.",
            "As a sponsor they keep their agents. What they did stays in the audit.",
        ),
        perform=_perform_with(membership.remove_access, "They are no longer staff."),
        extra_state=membership.role_names,
        is_open=lambda user: user.is_staff or user.is_superuser,
        is_sensitive=True,
        is_destructive=True,
    ),
)
