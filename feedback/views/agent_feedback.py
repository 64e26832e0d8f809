"""The sponsor's page of an agent's reports and their state."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.request_user import owned_agent
from feedback.models import Report
from imageskill.lib import pages

_ROWS = 30


@login_required
@require_safe
def agent_feedback(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show an agent's reports, newest first."""
    agent = owned_agent(request, agent_id)
    page = pages.paginate(request, Report.objects.filter(agent=agent).order_by("-id"), size=_ROWS)
    context = {
        "section": "agents",
        "tab": "feedback",
        "agent": agent,
        "reports": page.rows,
        "next_url": page.next_url,
    }
    return render(request, "feedback/agent_feedback.html", context)
