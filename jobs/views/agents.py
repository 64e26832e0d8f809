"""My agents: the list of a sponsor's agents."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.claims import decisions
from accounts.models import Token
from accounts.request_user import request_user
from billing.ledger import statements
from imageskill.lib import clock, pages
from jobs.views import sponsor_queries

_PAGE_SIZE = 20


@login_required
@require_safe
def my_agents(request: HttpRequest) -> HttpResponse:
    """Show status, balance, limits, tokens and cost per image of each agent."""
    user, now = request_user(request), clock.now()
    page = pages.paginate(request, sponsor_queries.agents_for(user), size=_PAGE_SIZE)
    agents = page.rows
    balances = statements.balances_by_organization(agent.organization_id for agent in agents)
    limits = statements.cap_usage_by_agent(agents, at=now)
    usage = sponsor_queries.recent_usage(agents, now=now)
    tokens: dict[int, list[Token]] = {}
    for token in Token.objects.filter(agent__in=agents, revoked_at=None).order_by("-id"):
        tokens.setdefault(token.agent_id, []).append(token)
    context = {
        "section": "agents",
        "pending_claims": list(decisions.pending_for(user)[:10]),
        "next_url": page.next_url,
        "cards": [
            {
                "agent": agent,
                "balances": balances.get(agent.organization_id, statements.NO_CREDITS),
                "limits": limits[agent.pk],
                "usage": usage.get(agent.pk, sponsor_queries.NO_USAGE),
                "tokens": tokens.get(agent.pk, []),
            }
            for agent in agents
        ],
    }
    return render(request, "jobs/my_agents.html", context)
