"""The admin of agents, organizations and tokens."""

from typing import ClassVar

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from accounts.admin import agent_actions
from accounts.models import Agent, Organization, Token
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import display_datetime, list_link


class AgentAdmin(ReadOnlyAdmin):
    """One agent: its identity, its permissions and limits, and the actions on it.

    The console registers it together with what the other apps know of an agent.
    """

    view_permission = "accounts.see_agents"
    empty_text = "Agents appear here when they sign up."
    object_actions = agent_actions.AGENT_ACTIONS
    export_also = (
        "suspended_at",
        "suspension_reason",
        "revoked_at",
    )
    list_display = (
        "name",
        "public_id",
        "runtime",
        "claim",
        "contact",
        "last_seen_at",
        "created_at",
    )
    list_filter = ("claim_state",)
    search_fields = ("public_id__exact", "contact__iexact")
    search_help_text = "agt_ id or contact email"
    list_select_related = ("organization",)
    fieldsets: ClassVar = (
        (
            "Identity",
            {"fields": ("public_id", "name", "runtime", "contact", "organization", "created_at")},
        ),
        (
            "Status",
            {
                "fields": (
                    "claim_state",
                    "claim_request_state",
                    "organization__owner",
                    "suspended",
                    "last_seen_at",
                    "signup_network",
                    "discovery_source",
                )
            },
        ),
        (
            "Permissions & limits",
            {
                "fields": (
                    "grants",
                    "cap_outputs_per_request",
                    "cap_credits_per_operation",
                    "cap_credits_per_day",
                    "cap_credits_per_week",
                    "cap_credits_per_month",
                    "cap_credits_total",
                )
            },
        ),
    )
    labels = {"organization__owner": "sponsor"}

    def lookup_allowed(self, lookup: str, value: str, request: object = None) -> bool:
        """Allow the filters that search and other pages link to."""
        return lookup in {
            "contact",
            "signup_network",
            "organization__public_id",
            "organization__owner__email",
        } or super().lookup_allowed(lookup, value, request)

    @display(
        description="claim state",
        label={
            "claimed": "success",
            "payment_backed_unclaimed": "info",
            "revoked": "danger",
            "suspended": "warning",
        },
    )
    def claim(self, agent: Agent) -> tuple[str, str]:
        if agent.is_suspended and not agent.is_revoked:
            return "suspended", f"{agent.get_claim_state_display()}, suspended"
        return agent.claim_state, agent.get_claim_state_display()

    @display(description="suspended")
    def suspended(self, agent: Agent) -> str:
        if not agent.is_suspended:
            return "–"
        since = display_datetime(agent.suspended_at)
        return format_html("Since {}: {}", since, agent.suspension_reason)


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin):
    """An organization and its agents."""

    view_permission = "accounts.see_agents"
    empty_text = (
        "Each agent signs up with an organization of its own; claiming makes its sponsor the owner."
    )
    list_display = ("public_id", "owner", "created_at")
    labels = {"owner": "sponsor"}
    search_fields = ("public_id__exact", "owner__email__iexact")
    search_help_text = "org_ id or the sponsor's email"
    list_select_related = ("owner",)
    fields = ("public_id", "owner", "created_at", "agents_shown", "receipts_shown")

    @display(description="agents")
    def agents_shown(self, organization: Organization) -> str:
        return list_link(Agent, "View agents", organization__public_id=organization.public_id)

    @display(description="receipts")
    def receipts_shown(self, organization: Organization) -> str:
        query = {"organization__id__exact": organization.pk}
        url = reverse("admin:billing_receipt_changelist", query=query)
        return format_html('<a href="{}">View receipts</a>', url)


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """Tokens by prefix; the token itself is not stored."""

    view_permission = "accounts.see_agents"
    empty_text = "An agent gets its first token when it signs up, and a new one when it is rotated."
    object_actions = agent_actions.TOKEN_ACTIONS
    export_also = (
        "revoked_at",
        "revoked_because",
    )
    list_display = ("prefix", "agent", "created_at", "last_used_at", "revoked")
    list_filter = ("revoked_because",)
    search_fields = ("lookup__exact", "agent__public_id__exact")
    search_help_text = "The eight characters after isk_r_, or an agt_ id"
    list_select_related = ("agent",)
    fields = ("prefix", "agent", "created_at", "last_used_at", "revoked")

    def lookup_allowed(self, lookup: str, value: str, request: object = None) -> bool:
        """Allow the filter that an agent's page links to."""
        return lookup == "agent__public_id" or super().lookup_allowed(lookup, value, request)

    @display(description="status")
    def revoked(self, token: Token) -> str:
        if token.is_active:
            return "Active"
        why = token.get_revoked_because_display()
        return format_html("{} {}", why, display_datetime(token.revoked_at))
