"""Staff actions on users: setting roles and removing staff access."""

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
    """The roles that the user has from now on."""

    field_order = ("roles", "reason")
    roles = forms.MultipleChoiceField(
        choices=[(role, role) for role in ROLES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="The user gets exactly these roles. Roles left out are removed.",
    )


def _perform_with(function: Callable[..., None], done: str) -> Callable[[User, ActionRequest], str]:
    def perform(user: User, action: ActionRequest) -> str:
        try:
            function(user=user, by=action.user, reason=action.reason, **action.fields)
        except membership.StaffChangeRefused as refusal:
            raise ActionRefused(str(refusal)) from refusal
        return done

    return perform


def _describe_roles(user: User) -> str:
    roles = ["superuser"] if user.is_superuser else membership.role_names(user)
    if not user.is_staff:
        return f"{user.email} is not staff."
    return f"{user.email} is staff. Roles: {', '.join(roles) or 'none'}."


def _describe_change(user: User) -> Sequence[str]:
    return (
        _describe_roles(user),
        "The user becomes staff with exactly the roles that you choose.",
        "All their sessions end; the console requires a second factor.",
    )


def _describe_change_with(user: User, fields: dict[str, Any]) -> Sequence[str]:
    chosen = set().union(*(ROLES[role] for role in fields["roles"]))
    return (
        *_describe_change(user),
        *(f"They can {PERMISSIONS[name]}." for name in PERMISSIONS if name in chosen),
    )


USER_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="roles",
        label="Set roles",
        permission=_PERMISSION,
        preview=_describe_change,
        preview_fields=_describe_change_with,
        perform=_perform_with(
            membership.set_roles, "The roles are saved. The user signs in again."
        ),
        form=RolesForm,
        initial_values=lambda user: {"roles": membership.role_names(user)},
        extra_state=membership.role_names,
        is_open=lambda user: user.is_active and not user.is_superuser,
        is_sensitive=True,
    ),
    StaffAction(
        name="remove",
        label="Remove staff access",
        permission=_PERMISSION,
        preview=lambda user: (
            _describe_roles(user),
            "They lose access to the console at once, and all their sessions end.",
            "They keep the agents that they sponsor. The audit log stays as it is.",
        ),
        perform=_perform_with(membership.remove_access, "Staff access is removed."),
        extra_state=membership.role_names,
        is_open=lambda user: user.is_staff or user.is_superuser,
        is_sensitive=True,
        is_destructive=True,
    ),
)
