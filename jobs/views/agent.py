"""Pages of one agent: overview, images, jobs, refusals and activity."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts import activity, audit
from accounts.models import Agent
from accounts.request_user import owned_agent, request_user
from billing.ledger import statements
from imageskill.lib import clock, pages
from jobs import states
from jobs.models import Job
from jobs.views import error_explanations, sponsor_queries

_IMAGES_PER_PAGE, _ROWS_PER_PAGE = 24, 30


@login_required
@require_safe
def overview(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show the agent's balances, limits, and latest images and jobs."""
    agent, now = owned_agent(request, agent_id), clock.now()
    context = {
        "balances": statements.balances_by_organization([agent.organization_id]).get(
            agent.organization_id, statements.NO_CREDITS
        ),
        "limits": statements.cap_usage_by_agent([agent], at=now)[agent.pk],
        "usage": sponsor_queries.recent_usage([agent], now=now).get(
            agent.pk, sponsor_queries.NO_USAGE
        ),
        "usage_since": clock.utc_day(now - sponsor_queries.RECENT_PERIOD),
        "images": sponsor_queries.images_for(agent)[:8],
        "jobs": sponsor_queries.jobs_for(agent).prefetch_related("assets")[:6],
    }
    return _render_tab(request, "jobs/agent.html", agent, "overview", context)


@login_required
@require_safe
def images(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show the agent's images, newest first."""
    agent = owned_agent(request, agent_id)
    page = pages.paginate(request, sponsor_queries.images_for(agent), size=_IMAGES_PER_PAGE)
    context = {"images": page.rows, "next_url": page.next_url}
    return _render_tab(request, "jobs/agent_images.html", agent, "images", context)


@login_required
@require_safe
def jobs(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show the agent's jobs with their cost; `?status=` and `?since=` filter."""
    agent = owned_agent(request, agent_id)
    status = request.GET.get("status", "")
    queryset = sponsor_queries.jobs_for(agent).prefetch_related("assets")
    if status in states.ALL:
        queryset = queryset.filter(status=status)
    since = _parse_day(request.GET.get("since", ""))
    if since is not None:
        queryset = queryset.filter(created_at__gte=datetime.combine(since, time.min, tzinfo=UTC))
    page = pages.paginate(request, queryset, size=_ROWS_PER_PAGE)
    context = {
        "jobs": page.rows,
        "next_url": page.next_url,
        "status": status,
        "since": since,
        "statuses": states.ALL,
    }
    return _render_tab(request, "jobs/agent_jobs.html", agent, "jobs", context)


@login_required
@require_safe
def agent_refusals(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show refused requests and failed or canceled jobs, with the reason."""
    agent = owned_agent(request, agent_id)
    page = pages.paginate(request, error_explanations.failed_requests(agent), size=_ROWS_PER_PAGE)
    failed = sponsor_queries.jobs_for(agent).filter(status__in=(states.FAILED, states.CANCELED))[
        :10
    ]
    context = {
        "requests": [(row, error_explanations.explain(row.error_code)) for row in page.rows],
        "failed": [(job, error_explanations.explain(job.error_code)) for job in failed],
        "next_url": page.next_url,
        "days": error_explanations.retention_period().days,
    }
    return _render_tab(request, "jobs/agent_refusals.html", agent, "refusals", context)


@login_required
@require_safe
def agent_activity(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show the activity log; `?about=` filters by a job, receipt or other id."""
    agent = owned_agent(request, agent_id)
    about = request.GET.get("about", "")[:128].replace("\x00", "")
    events = (
        activity.find_by_reference(agent.organization_id, about)
        if about
        else activity.for_organization(agent.organization_id)
    )
    page = pages.paginate(request, events, size=_ROWS_PER_PAGE)
    context = {"events": page.rows, "next_url": page.next_url, "about": about}
    return _render_tab(request, "jobs/agent_activity.html", agent, "activity", context)


@login_required
@require_safe
def job(request: HttpRequest, job_id: str) -> HttpResponse:
    """Show one job: its images, and the ledger entries that make up its cost."""
    owned = Job.objects.filter(organization__owner=request_user(request)).select_related(
        "agent__organization"
    )
    shown = get_object_or_404(owned, public_id=job_id)
    context = {
        "job": shown,
        "images": shown.assets.order_by("index"),
        "transfers": statements.transfers_for(shown.organization_id, shown.public_id),
        "explanation": error_explanations.explain(shown.error_code) if shown.error_code else None,
        "prompt_reveals": audit.lines_about(shown.public_id, action="job.reveal_prompt")[:10],
    }
    return _render_tab(request, "jobs/job.html", shown.agent, "jobs", context)


def _parse_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _render_tab(
    request: HttpRequest, template: str, agent: Agent, tab: str, context: dict[str, Any]
) -> HttpResponse:
    shared = {"section": "agents", "agent": agent, "tab": tab}
    return render(request, template, shared | context)
