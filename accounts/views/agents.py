"""What a sponsor decides about an agent: grants and caps, tokens, pause, end, hand-over."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import agent_limits, agents, sponsors, suspension
from accounts.claims import requests
from accounts.claims.states import MoveRefused
from accounts.models import Agent, Claim
from accounts.request_user import me, owned_agent
from accounts.tokens import rotation
from accounts.views.forms import AddressForm, ConfirmForm, TermsForm
from imageskill.lib.errors import RateLimited


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def agent_settings(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Show and change an agent's grants and caps; tokens, pause and hand-over stand below."""
    agent = owned_agent(request, agent_id)
    form = TermsForm(request.POST) if request.method == "POST" else TermsForm.showing(agent)
    if request.method == "POST" and form.is_valid():
        try:
            changed = agent_limits.change(agent=agent, user=me(request), terms=form.terms())
        except sponsors.Refused as refusal:
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
    ended = rotation.revoke(agent=agent, user=me(request), lookup=lookup)
    messages.success(request, "The token is dead." if ended else "That token had ended already.")
    return redirect("agent_settings", agent_id)


@login_required
@never_cache
@require_POST
def replace_tokens(request: HttpRequest, agent_id: str) -> HttpResponse:
    """End all tokens and show the new one, this once."""
    agent = owned_agent(request, agent_id)
    try:
        token = rotation.replace(agent=agent, user=me(request))
    except sponsors.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("agent_settings", agent_id)
    return render(request, "accounts/new_token.html", {"agent": agent, "token": token})


@login_required
@require_POST
def pause_agent(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Stop the agent at once."""
    agent = owned_agent(request, agent_id)
    suspension.pause(agent=agent, user=me(request))
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
        suspension.resume(agent=agent, user=me(request))
    except sponsors.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "It may work again.")
    return redirect("agent", agent_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def end_agent(request: HttpRequest, agent_id: str) -> HttpResponse:
    """End the agent for good, after saying what that means."""
    agent = owned_agent(request, agent_id)
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            agents.revoke(agent, user=me(request), reason="Ended by its sponsor.")
        except MoveRefused:
            messages.info(request, "It had been ended already.")
        else:
            messages.success(request, "Ended. Its tokens are dead; its images stay yours.")
        return redirect("agent", agent_id)
    return render(request, "accounts/agent_revoke.html", {"agent": agent, "form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over_agent(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Offer the agent to another sponsor."""
    agent = owned_agent(request, agent_id)
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            requests.hand_over(agent=agent, user=me(request), address=form.cleaned_data["address"])
        except (sponsors.Refused, RateLimited) as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Offered. It stays yours until they accept.")
            return redirect("agent_settings", agent_id)
    return render(request, "accounts/agent_transfer.html", {"agent": agent, "form": form})


@login_required
@require_POST
def withdraw_offer(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Take back an offer to hand the agent over."""
    agent = owned_agent(request, agent_id)
    requests.withdraw(agent=agent, user=me(request))
    messages.success(request, "The offer is withdrawn; its link is dead.")
    return redirect("agent_settings", agent_id)


def _settings_page(request: HttpRequest, agent: Agent, form: TermsForm) -> HttpResponse:
    user = me(request)
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
