"""The page of a claim request: what claiming means, and the form to claim."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import sponsors
from accounts.claims import access, decisions
from accounts.models import Agent, Claim, Token, User
from accounts.views.forms import AgentLimitsForm, ReportReasonForm, TransferForm
from billing.ledger import statements
from imageskill.lib import clock
from jobs.views import sponsor_queries

_IMAGES_SHOWN = 12


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, claim_id: str) -> HttpResponse:
    """Show as much of the request as this visitor may see, and claim the agent on POST."""
    shown = access.find_claim(request, claim_id)
    user = access.signed_in_user(request)
    if reason := decisions.closed_reason(shown, shown.agent):
        return _render_closed(request, shown, user, reason)
    if user is None:
        return render(request, "jobs/claim_signed_out.html", _claim_context(shown))
    if reason := decisions.conflict_reason(shown, shown.agent, user):
        context = {**_claim_context(shown), "reason": reason}
        return render(request, "jobs/claim_conflict.html", context)
    form_class = TransferForm if _is_offer(shown) else AgentLimitsForm
    form = form_class(request.POST) if request.method == "POST" else form_class.showing(shown.agent)
    if request.method == "POST" and form.is_valid():
        try:
            agent = decisions.accept(
                claim=shown,
                user=user,
                limits=form.limits(),
                keeps_tokens=form.cleaned_data.get("keeps_tokens", False),
            )
        except sponsors.SponsorActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _accepted_message(agent))
            return redirect("agent", agent.public_id)
    context = {**_claim_context(shown), **_agent_context(shown.agent), "form": form}
    return render(request, "jobs/claim_preview.html", context, status=422 if form.errors else 200)


def _accepted_message(agent: Agent) -> str:
    message = f"You are now the sponsor of {agent.name}."
    if Token.objects.filter(agent=agent, revoked_at=None).exists():
        return message
    return (
        f"{message} Its token was revoked: rotate it in Settings, then give the agent the new one."
    )


def _render_closed(
    request: HttpRequest, claim: Claim, user: User | None, reason: str
) -> HttpResponse:
    is_mine = user is not None and claim.agent.organization.owner_id == user.pk
    context = {**_claim_context(claim), "reason": reason, "is_mine": is_mine}
    return render(request, "jobs/claim_closed.html", context)


def _claim_context(claim: Claim) -> dict[str, Any]:
    return {
        "claim": claim,
        "agent": claim.agent,
        "is_offer": _is_offer(claim),
        "report": ReportReasonForm(),
    }


def _is_offer(claim: Claim) -> bool:
    return claim.invited_by is not None and claim.agent.claim_state == Agent.ClaimState.CLAIMED


def _agent_context(agent: Agent) -> dict[str, Any]:
    now = clock.now()
    return {
        "balances": statements.balances_by_organization([agent.organization_id]).get(
            agent.organization_id, statements.NO_CREDITS
        ),
        "usage": sponsor_queries.recent_usage([agent], now=now).get(
            agent.pk, sponsor_queries.NO_USAGE
        ),
        "images": sponsor_queries.images_for(agent)[:_IMAGES_SHOWN],
        "jobs": sponsor_queries.jobs_for(agent)[:5],
        "daily_jobs": settings.DAILY_JOBS_CLAIMED,
    }
