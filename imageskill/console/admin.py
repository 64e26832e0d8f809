"""Admin pages that join several apps: the agent page."""

from datetime import UTC, datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse

from accounts.admin.agents import AgentAdmin
from accounts.models import Agent, User
from billing.admin import adjustment_actions
from imageskill.console.agent import page_context

_IMMUTABLE_FIELDS = (
    "public_id",
    "name",
    "runtime",
    "organization",
    "created_at",
    "signup_network",
    "discovery_source",
)


@admin.register(Agent)
class AgentPage(AgentAdmin):
    """An agent with its credits, jobs, feedback and logs, now or as of a past moment."""

    object_actions = (*AgentAdmin.object_actions, *adjustment_actions.AGENT_ACTIONS)
    change_form_after_template = "admin/console/agent_after.html"

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Load an agent with its organization and sponsor, once per request."""
        seen: dict[str, Any] = request.__dict__.setdefault("_agents", {})
        if object_id not in seen:
            found = self.get_queryset(request).select_related("organization__owner")
            seen[object_id] = found.filter(pk=object_id).first() if object_id.isdigit() else None
        return seen[object_id]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out, as of a past moment, the fields that change: they are shown below."""
        if _parse_as_of(request) is None:
            return super().get_fieldsets(request, obj)
        return (("Identity", {"fields": self.by_type(_IMMUTABLE_FIELDS)}),)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add what the other apps know of the agent."""
        agent = self.get_object(request, object_id)
        as_of = _parse_as_of(request)
        if as_of is None and request.GET.get("as_of"):
            messages.warning(request, "Enter a date and time such as 2026-01-31T12:00 (UTC).")
        facts = (
            page_context.agent_context(agent, cast("User", request.user), as_of=as_of)
            if agent
            else {}
        )
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "facts": facts}
        )


def _parse_as_of(request: HttpRequest) -> datetime | None:
    try:
        return datetime.fromisoformat(request.GET.get("as_of", "")).replace(tzinfo=UTC)
    except ValueError:
        return None
