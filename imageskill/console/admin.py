"""Pages of single things that need to know what several apps know."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse

from accounts.admin.agents import AgentAdmin
from accounts.models import Agent
from billing.admin import correction_deeds
from imageskill.console import agent_facts, export_admin

__all__ = ["AgentPage", "export_admin"]


@admin.register(Agent)
class AgentPage(AgentAdmin):
    """An agent with its money, work, reports and trail, now or as of a past moment."""

    deeds = (*AgentAdmin.deeds, *correction_deeds.AGENT)
    change_form_after_template = "admin/console/agent_after.html"

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Load an agent with its organization and sponsor."""
        found = self.get_queryset(request).select_related("organization__owner")
        return found.filter(pk=object_id).first() if object_id.isdigit() else None

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add what the other apps know."""
        agent = self.get_object(request, object_id)
        facts = agent_facts.gather(agent, as_of=_as_of(request)) if agent else {}
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "facts": facts}
        )


def _as_of(request: HttpRequest) -> datetime | None:
    text = request.GET.get("as_of", "")
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        messages.warning(request, "That is no moment; write it like 2026-01-31T12:00 (UTC).")
        return None
