"""Claim links, and every answer to a claim request except claiming."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import sponsors
from accounts.claims import access, decisions, requests
from accounts.request_user import request_user
from accounts.views.forms import AddressForm, ReportReasonForm
from imageskill.lib.errors import RateLimited


@never_cache
@require_safe
def open_claim(request: HttpRequest, token: str) -> HttpResponse:
    """Record in the session that this browser has the link, and redirect to the request.

    The redirect takes the token out of the URL, so that it stays out of histories and logs.
    """
    claim = decisions.by_token(token)
    if claim is None:
        return render(request, "accounts/claim_unknown.html", status=404)
    access.remember_link(request, claim)
    return redirect("claim", claim.public_id)


@require_POST
def decline_claim(request: HttpRequest, claim_id: str) -> HttpResponse:
    """Decline the request."""
    claim = access.find_claim(request, claim_id)
    try:
        decisions.decline(claim=claim, user=access.signed_in_user(request))
    except sponsors.SponsorActionRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("claim", claim_id)


@require_POST
def report_claim(request: HttpRequest, claim_id: str) -> HttpResponse:
    """Report the request, which suspends the agent until staff have reviewed it."""
    claim = access.find_claim(request, claim_id)
    form = ReportReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try:
        decisions.report(claim=claim, user=access.signed_in_user(request), reason=reason)
    except sponsors.SponsorActionRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("claim", claim_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def forward_claim(request: HttpRequest, claim_id: str) -> HttpResponse:
    """Forward the request to another email."""
    claim = access.find_claim(request, claim_id)
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            requests.forward(
                claim=claim, user=request_user(request), address=form.cleaned_data["address"]
            )
        except (sponsors.SponsorActionRefused, RateLimited) as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Request forwarded. Your own link no longer works.")
            return redirect("claim", claim_id)
    return render(request, "accounts/claim_forward.html", {"claim": claim, "form": form})


@require_POST
def switch_account(request: HttpRequest, claim_id: str) -> HttpResponse:
    """Sign out and return to the request after signing in with another email."""
    access.find_claim(request, claim_id)
    access.sign_out_keeping_links(request)
    return redirect(
        f"{reverse('account_login')}?{urlencode({'next': reverse('claim', args=[claim_id])})}"
    )
