"""A sponsor's settings of an agent: permissions and limits, tokens, pause, transfer, revoke."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import agent_limits, agents, sponsors, suspension
from accounts.claims import requests
from accounts.claims.states import ClaimTransitionRefused
from accounts.models import Agent, Claim
from accounts.request_user import owned_agent, request_user
from accounts.tokens import rotation
from accounts.views.forms import AddressForm, AgentLimitsForm, ConfirmForm
from imageskill.lib.errors import RateLimited


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def agent_settings(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show the agent's settings and update its permissions and limits."""
    agent = owned_agent(request, agent_id)
    form = (
        AgentLimitsForm(request.POST)
        if request.method == "POST"
        else AgentLimitsForm.showing(agent)
    )
    if request.method == "POST" and form.is_valid():
        try:
            is_changed = agent_limits.update(
                agent=agent, user=request_user(request), limits=form.limits()
            )
        except sponsors.SponsorActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request,
                "Saved. Applies from the next request on." if is_changed else "No changes.",
            )
            return redirect("agent_settings", agent_id)
    return _settings_page(request, agent, form)


@login_required
@require_POST
def revoke_token(request: HttpRequest, agent_id: str, lookup: str) -> HttpResponse:
    """Revoke one token."""
    agent = owned_agent(request, agent_id)
    is_revoked = rotation.revoke(agent=agent, user=request_user(request), lookup=lookup)
    messages.success(request, "Token revoked." if is_revoked else "Token was already revoked.")
    return redirect("agent_settings", agent_id)


@login_required
@never_cache
@require_POST
def rotate_tokens(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Revoke all tokens and show the new one, once."""
    agent = owned_agent(request, agent_id)
    try:
        token = rotation.rotate(agent=agent, user=request_user(request))
    except sponsors.SponsorActionRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("agent_settings", agent_id)
    return render(request, "accounts/new_token.html", {"agent": agent, "token": token})


@login_required
@require_POST
def pause_agent(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Pause the agent."""
    agent = owned_agent(request, agent_id)
    suspension.pause(agent=agent, user=request_user(request))
    messages.success(
        request, "Paused. The agent can read and send feedback, but not spend or upload."
    )
    return redirect("agent", agent_id)


@login_required
@require_POST
def resume_agent(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Resume the agent."""
    agent = owned_agent(request, agent_id)
    try:
        suspension.resume(agent=agent, user=request_user(request))
    except sponsors.SponsorActionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Resumed. The agent can spend and upload again.")
    return redirect("agent", agent_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_agent(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Revoke the agent permanently, after a confirmation."""
    agent = owned_agent(request, agent_id)
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            agents.revoke(agent, user=request_user(request), reason="Revoked by its sponsor.")
        except ClaimTransitionRefused:
            messages.info(request, "This agent was already revoked.")
        else:
            messages.success(request, "Agent revoked. Its images, credits and receipts stay yours.")
        return redirect("agent", agent_id)
    return render(request, "accounts/agent_revoke.html", {"agent": agent, "form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def transfer_agent(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Offer the agent to another sponsor."""
    agent = owned_agent(request, agent_id)
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            requests.offer_transfer(
                agent=agent, user=request_user(request), address=form.cleaned_data["address"]
            )
        except (sponsors.SponsorActionRefused, RateLimited) as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Offer sent. The agent stays yours until they accept.")
            return redirect("agent_settings", agent_id)
    return render(request, "accounts/agent_transfer.html", {"agent": agent, "form": form})


@login_required
@require_POST
def withdraw_transfer(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Withdraw the transfer offer."""
    agent = owned_agent(request, agent_id)
    requests.withdraw_transfer(agent=agent, user=request_user(request))
    messages.success(request, "Offer withdrawn. Its link no longer works.")
    return redirect("agent_settings", agent_id)


def _settings_page(request: HttpRequest, agent: Agent, form: AgentLimitsForm) -> HttpResponse:
    user = request_user(request)
    context = {
        "section": "agents",
        "tab": "settings",
        "agent": agent,
        "form": form,
        "tokens": agent.tokens.order_by("-id")[:20],
        "offer": agent.claims.filter(state=Claim.State.REQUESTED)
        .select_related("recipient")
        .first(),
        "can_resume": agent.is_suspended and suspension.is_paused_by(agent, user),
    }
    status = 422 if form.errors else 200
    return render(request, "accounts/agent_settings.html", context, status=status)
