"""The admin of users: sponsors and staff. Groups follow `accounts.staff.roles`, unedited."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.admin import staff_actions
from accounts.models import Agent, User
from accounts.staff import membership
from accounts.staff.roles import ROLES
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import list_link

# Free edits would leave no audit line: roles have an action, the rest belongs to the user.
for _model in (Group, EmailAddress, Authenticator):
    admin.site.unregister(_model)


class RoleFilter(admin.SimpleListFilter):
    """Users by role."""

    title, parameter_name = "role", "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the roles."""
        return [(role, role) for role in ROLES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the users who have the role."""
        if self.value() not in ROLES:
            return queryset
        having = User.groups.through.objects.filter(group__name=self.value())
        return queryset.filter(pk__in=having.values("user_id"))


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """A user who signs in."""

    view_permission = "accounts.see_agents"
    empty_text = "Users appear here when they first sign in. An operator invites staff."
    object_actions = staff_actions.USER_ACTIONS
    list_display = ("email", "roles", "is_staff", "is_active", "date_joined", "last_login")
    list_filter = ("is_staff", RoleFilter, "is_active")
    search_fields = ("email__iexact",)
    search_help_text = "Email"
    fields = ("email", "roles", "is_active", "date_joined", "last_login", "agents")
    labels = {"date_joined": "joined", "last_login": "last sign-in"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Load the roles of a page's users together."""
        users: QuerySet[Any] = super().get_queryset(request).prefetch_related("groups")
        return users

    @display(description="roles")
    def roles(self, user: User) -> str:
        names = membership.role_names(user)
        if user.is_superuser:
            names.insert(0, "superuser")
        return ", ".join(names) or "sponsor"

    @display(description="agents")
    def agents(self, user: User) -> str:
        return list_link(Agent, "View agents", organization__owner__email=user.email)
