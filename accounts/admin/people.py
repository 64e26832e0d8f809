"""People in the console: sponsors and staff. Groups are made by migrations, not by hand."""

from django.contrib import admin
from django.contrib.auth.models import Group
from unfold.decorators import display

from accounts.models import Agent, User
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.shown import list_of, moment

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """A person who signs in."""

    seen_with = "accounts.see_agents"
    export_fields = (
        "email",
        "is_staff",
        "is_active",
        "date_joined",
        "last_login",
    )
    list_display = ("email", "is_staff", "is_active", "joined", "signed_in")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email__iexact",)
    search_help_text = "A mail address"
    fields = ("email", "roles", "is_active", "joined", "signed_in", "agents")
    readonly_fields = ("roles", "joined", "signed_in", "agents")

    @display(description="roles")
    def roles(self, user: User) -> str:
        names = [group.name for group in user.groups.all()]
        if user.is_superuser:
            names.insert(0, "everything")
        return ", ".join(names) or "sponsor"

    @display(description="joined")
    def joined(self, user: User) -> str:
        return moment(user.date_joined)

    @display(description="last sign-in")
    def signed_in(self, user: User) -> str:
        return moment(user.last_login)

    @display(description="agents")
    def agents(self, user: User) -> str:
        return list_of(Agent, "agents it sponsors", organization__owner__email=user.email)
