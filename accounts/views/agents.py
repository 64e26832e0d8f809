"""What a sponsor decides about an agent: grants and caps, tokens, pause, end, hand-over."""

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
    """Show and change an agent's grants and caps; tokens, pause and hand-over stand below."""
    agent = owned_agent(request, agent_id)
    form = (
        AgentLimitsForm(request.POST)
        if request.method == "POST"
        else AgentLimitsForm.showing(agent)
    )
    if request.method == "POST" and form.is_valid():
        try:
            changed = agent_limits.update(
                agent=agent, user=request_user(request), terms=form.terms()
            )
        except sponsors.SponsorActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request,
                "Saved. It binds from the agent's next request on." if changed else "No change.",
            )
            return redirect("agent_settings", agent_id)
    return _settings_page(request, agent, form)


@login_required
@require_POST
def revoke_token(request: HttpRequest, agent_id: str, lookup: str) -> HttpResponse:
    """End one token."""
    agent = owned_agent(request, agent_id)
    ended = rotation.revoke(agent=agent, user=request_user(request), lookup=lookup)
    messages.success(request, "The token is dead." if ended else "That token had ended already.")
    return redirect("agent_settings", agent_id)


@login_required
@never_cache
@require_POST
def rotate_tokens(request: HttpRequest, agent_id: str) -> HttpResponse:
    """End all tokens and show the new one, this once."""
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
    """Stop the agent at once."""
    agent = owned_agent(request, agent_id)
    suspension.pause(agent=agent, user=request_user(request))
    messages.success(
        request, "Stopped. It can read and report, and neither spend nor upload any more."
    )
    return redirect("agent", agent_id)


@login_required
@require_POST
def resume_agent(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Let the agent go on."""
    agent = owned_agent(request, agent_id)
    try:
        suspension.resume(agent=agent, user=request_user(request))
    except sponsors.SponsorActionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "It may work again.")
    return redirect("agent", agent_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_agent(request: HttpRequest, agent_id: str) -> HttpResponse:
    """End the agent for good, after saying what that means."""
    agent = owned_agent(request, agent_id)
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            agents.revoke(agent, user=request_user(request), reason="Ended by its sponsor.")
        except ClaimTransitionRefused:
            messages.info(request, "It had been ended already.")
        else:
            messages.success(request, "Ended. Its tokens are dead; its images stay yours.")
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
            messages.success(request, "Offered. It stays yours until they accept.")
            return redirect("agent_settings", agent_id)
    return render(request, "accounts/agent_transfer.html", {"agent": agent, "form": form})


@login_required
@require_POST
def withdraw_transfer(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Take back an offer to hand the agent over."""
    agent = owned_agent(request, agent_id)
    requests.withdraw_transfer(agent=agent, user=request_user(request))
    messages.success(request, "The offer is withdrawn; its link is dead.")
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
        "may_resume": agent.is_suspended and suspension.is_paused_by(agent, user),
    }
    status = 422 if form.errors else 200
    return render(request, "accounts/agent_settings.html", context, status=status)
