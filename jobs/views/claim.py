"""The page of a claim request: what is asked, what one would take on, and the decision."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import sponsors
from accounts.claims import access, decisions
from accounts.models import Agent, Claim, User
from accounts.views.forms import CHOICES, ReasonForm, TermsForm
from billing.ledger import statements
from imageskill.lib import clock
from jobs.views import sponsor_queries

_PICTURES = 12


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, claim_id: str) -> HttpResponse:
    """Show as much as this visitor may see; take the decision to claim from who may decide."""
    found = access.find(request, claim_id)
    user = access.person(request)
    if reason := decisions.standing(found, found.agent):
        return _closed(request, found, user, reason)
    if user is None:
        return render(request, "jobs/claim_signed_out.html", _asked(found))
    if reason := decisions.conflict(found, found.agent, user):
        context = {**_asked(found), "reason": reason}
        return render(request, "jobs/claim_conflict.html", context)
    form = TermsForm(request.POST) if request.method == "POST" else TermsForm.showing(found.agent)
    if request.method == "POST" and form.is_valid():
        try:
            agent = decisions.accept(claim=found, user=user, terms=form.terms())
        except sponsors.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"You are the sponsor of {agent.name} now.")
            return redirect("agent", agent.public_id)
    context = {**_asked(found), **_brought(found.agent), "form": form}
    return render(request, "jobs/claim_preview.html", context, status=422 if form.errors else 200)


def _closed(request: HttpRequest, claim: Claim, user: User | None, reason: str) -> HttpResponse:
    is_mine = user is not None and claim.agent.organization.owner_id == user.pk
    context = {**_asked(claim), "reason": reason, "is_mine": is_mine}
    return render(request, "jobs/claim_closed.html", context)


def _asked(claim: Claim) -> dict[str, Any]:
    return {
        "claim": claim,
        "agent": claim.agent,
        "is_offer": claim.invited_by is not None
        and claim.agent.claim_state == Agent.ClaimState.CLAIMED,
        "report": ReasonForm(),
    }


def _brought(agent: Agent) -> dict[str, Any]:
    now = clock.now()
    return {
        "balances": statements.balances_of([agent.organization_id]).get(
            agent.organization_id, statements.NOTHING
        ),
        "work": sponsor_queries.recent_work_of([agent], now=now).get(
            agent.pk, sponsor_queries.NO_WORK
        ),
        "pictures": sponsor_queries.pictures_of(agent)[:_PICTURES],
        "jobs": sponsor_queries.jobs_of(agent)[:5],
        "may_now": [name for grant, (name, _) in CHOICES.items() if grant in agent.grants],
        "jobs_a_day": settings.DAILY_JOBS_CLAIMED,
    }
