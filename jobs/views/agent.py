"""One agent: its figures, pictures, jobs, refusals and activity."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts import activity, audit
from accounts.models import Agent
from accounts.request_user import me, owned_agent
from billing.ledger import statements
from imageskill.lib import clock, pages
from jobs import states
from jobs.models import Job
from jobs.views import error_explanations, sponsor_queries

_PICTURES, _ROWS = 24, 30


@login_required
@require_GET
def overview(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show at a glance what the agent has, spends and makes."""
    agent, now = owned_agent(request, agent_id), clock.now()
    context = {
        "balances": statements.balances_of([agent.organization_id]).get(
            agent.organization_id, statements.NOTHING
        ),
        "caps": statements.cap_use_of([agent], at=now)[agent.pk],
        "work": sponsor_queries.recent_work_of([agent], now=now).get(
            agent.pk, sponsor_queries.NO_WORK
        ),
        "work_since": clock.utc_day(now - sponsor_queries.RECENT),
        "pictures": sponsor_queries.pictures_of(agent)[:8],
        "jobs": sponsor_queries.jobs_of(agent).prefetch_related("assets")[:6],
    }
    return _page(request, "jobs/agent.html", agent, "overview", context)


@login_required
@require_GET
def images(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show the agent's pictures."""
    agent = owned_agent(request, agent_id)
    page = pages.cut(request, sponsor_queries.pictures_of(agent), size=_PICTURES)
    context = {"pictures": page.rows, "next_url": page.next_url}
    return _page(request, "jobs/agent_images.html", agent, "images", context)


@login_required
@require_GET
def jobs(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show the agent's jobs with what each cost; `?status=` and `?since=` narrow."""
    agent = owned_agent(request, agent_id)
    status = request.GET.get("status", "")
    found = sponsor_queries.jobs_of(agent).prefetch_related("assets")
    if status in states.ALL:
        found = found.filter(status=status)
    since = _day(request.GET.get("since", ""))
    if since is not None:
        found = found.filter(created_at__gte=datetime.combine(since, time.min, tzinfo=UTC))
    page = pages.cut(request, found, size=_ROWS)
    context = {
        "jobs": page.rows,
        "next_url": page.next_url,
        "status": status,
        "since": since,
        "statuses": states.ALL,
    }
    return _page(request, "jobs/agent_jobs.html", agent, "jobs", context)


@login_required
@require_GET
def agent_refusals(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show what was refused and why: requests, and jobs that ended without an image."""
    agent = owned_agent(request, agent_id)
    page = pages.cut(request, error_explanations.refused_requests(agent), size=_ROWS)
    failed = sponsor_queries.jobs_of(agent).filter(status__in=(states.FAILED, states.CANCELED))[:10]
    context = {
        "requests": [(row, error_explanations.reason_of(row.error_code)) for row in page.rows],
        "failed": [(job, error_explanations.reason_of(job.error_code)) for job in failed],
        "next_url": page.next_url,
        "days": error_explanations.kept().days,
    }
    return _page(request, "jobs/agent_refusals.html", agent, "refusals", context)


@login_required
@require_GET
def agent_activity(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show the activity ledger; `?about=` narrows to one job, receipt or other id."""
    agent = owned_agent(request, agent_id)
    about = request.GET.get("about", "")[:128].replace("\x00", "")
    events = (
        activity.about(agent.organization_id, about)
        if about
        else activity.of(agent.organization_id)
    )
    page = pages.cut(request, events, size=_ROWS)
    context = {"events": page.rows, "next_url": page.next_url, "about": about}
    return _page(request, "jobs/agent_activity.html", agent, "activity", context)


@login_required
@require_GET
def job(request: HttpRequest, job_id: str) -> HttpResponse:
    """Show one job: its pictures, what it cost, and the entries that make that cost."""
    mine = Job.objects.filter(organization__owner=me(request)).select_related("agent__organization")
    found = get_object_or_404(mine, public_id=job_id)
    context = {
        "job": found,
        "pictures": found.assets.order_by("index"),
        "transfers": statements.transfers_about(found.organization_id, found.public_id),
        "reason": error_explanations.reason_of(found.error_code) if found.error_code else None,
        "looks": audit.lines_about(found.public_id, action="job.reveal_prompt")[:10],
    }
    return _page(request, "jobs/job.html", found.agent, "jobs", context)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _page(
    request: HttpRequest, template: str, agent: Agent, tab: str, context: dict[str, Any]
) -> HttpResponse:
    shared = {"section": "agents", "agent": agent, "tab": tab}
    return render(request, template, shared | context)
