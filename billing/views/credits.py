"""Sponsor pages about balances, ledger entries, purchases, receipts and refunds."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Organization
from accounts.request_user import request_user
from billing.chart import ORGANIZATION_PURPOSES, Purpose
from billing.ledger import statements
from billing.models import PaymentAttempt, Receipt
from billing.purchases import (
    buyers,
    orders,
    packs,
    payment_methods,
    receipt_document,
    receipt_status,
    refund_states,
)
from billing.reversals import refund_simulation, refunds
from billing.views.forms import BuyForm, SponsorRefundForm
from imageskill.lib import clock, pages
from imageskill.lib.errors import ApiError

_ROWS = 30
_TITLES = {
    Purpose.PREVIEW: "Free credits",
    Purpose.PAID: "Paid credits",
    Purpose.HELD: "On hold for running jobs",
    Purpose.OWED: "Balance due",
}


@login_required
@never_cache
@require_safe
def credits(request: HttpRequest, organization_id: str) -> HttpResponse:
    """Show balances, debts, packs and receipts."""
    return _credits_page(request, _owned_organization(request, organization_id), BuyForm.fresh())


@login_required
@require_POST
def buy(request: HttpRequest, organization_id: str) -> HttpResponse:
    """Order credits for an organization; submitting the same form again orders nothing more."""
    organization = _owned_organization(request, organization_id)
    form = BuyForm(request.POST)
    if not form.is_valid():
        return _credits_page(request, organization, form)
    buyer = buyers.sponsor_buyer(request_user(request), organization_id=organization.pk)
    try:
        purchase = orders.place(buyer=buyer, **form.order())
    except ApiError as error:
        form.add_error(None, error.text)
        return _credits_page(request, organization, form)
    if isinstance(purchase, Receipt):
        messages.success(request, f"{purchase.credits:,} credits granted. No money was charged.")
        return redirect("receipt", purchase.public_id)
    return redirect("order", purchase.public_id)


@login_required
@never_cache
@require_safe
def order(request: HttpRequest, payment_attempt_id: str) -> HttpResponse:
    """Show an order before payment on Stripe, and its outcome afterwards."""
    owned = PaymentAttempt.objects.filter(quote__organization__owner=request_user(request))
    attempt = get_object_or_404(
        owned.select_related("quote__organization", "receipt"), public_id=payment_attempt_id
    )
    organization = attempt.quote.organization
    context = {
        "section": "agents",
        "attempt": attempt,
        "quote": attempt.quote,
        "organization": organization,
        "agents": list(organization.agents.all()[:10]),
        "receipt": getattr(attempt, "receipt", None),
        "returned_as": refund_states.returned_as(attempt),
    }
    return render(request, "billing/order.html", context)


@login_required
@require_safe
def entries(request: HttpRequest, organization_id: str, purpose: str) -> HttpResponse:
    """Show the ledger entries that add up to one balance."""
    organization = _owned_organization(request, organization_id)
    if purpose not in ORGANIZATION_PURPOSES:
        raise Http404
    queryset = statements.entries(organization.pk, Purpose(purpose))
    page = pages.paginate(request, queryset, size=_ROWS)
    balance = statements.balances_by_organization([organization.pk]).get(
        organization.pk, statements.NO_CREDITS
    )
    context = {
        **_base_context(organization),
        "title": _TITLES[Purpose(purpose)],
        "balance": getattr(balance, purpose),
        "entries": page.rows,
        "next_url": page.next_url,
    }
    return render(request, "billing/entries.html", context)


@login_required
@require_safe
def receipt(request: HttpRequest, receipt_id: str) -> HttpResponse:
    """Show a receipt that can be printed: to the sponsor, and to who paid it for good."""
    user = request_user(request)
    readable = receipt_status.with_status(Receipt.objects.readable_by(user)).select_related(
        "organization", "quote", "payer"
    )
    shown: Any = get_object_or_404(readable, public_id=receipt_id)
    is_owner = shown.organization.owner_id == user.pk
    context = {
        **(_base_context(shown.organization) if is_owner else {"section": "agents"}),
        "receipt": shown,
        "document": receipt_document.build(shown, shows_payer=shown.payer_id == user.pk),
        "is_owner": is_owner,
        "reversals": shown.reversals.exclude(credits=0).order_by("id"),
        **(_refund_context(shown) if is_owner else {}),
    }
    return render(request, "billing/receipt.html", context)


def _refund_context(receipt: Receipt) -> dict[str, object]:
    refundable_until = receipt.issued_at + timedelta(days=settings.REFUND_WINDOW_DAYS)
    requests = receipt.refund_requests.filter(is_from_sponsor=True).order_by("-id")[:5]
    return {
        "refund_requests": list(requests),
        "can_request_refund": receipt.charge_id and clock.now() <= refundable_until,
        "window_days": settings.REFUND_WINDOW_DAYS,
    }


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def request_refund(request: HttpRequest, receipt_id: str) -> HttpResponse:
    """Show what a refund of the unused credits would amount to, and request it on POST."""
    owned_receipt = _owned_receipt(request, receipt_id)
    form = SponsorRefundForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            refunds.request_as_sponsor(
                receipt=owned_receipt,
                reason=form.cleaned_data["reason"],
                user=request_user(request),
            )
        except refunds.RefundRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Refund requested. This page shows its status.")
            return redirect("receipt", owned_receipt.public_id)
    context = {
        **_base_context(owned_receipt.organization),
        "receipt": owned_receipt,
        "form": form,
        "simulation": refund_simulation.simulate(owned_receipt),
    }
    return render(request, "billing/refund.html", context, status=422 if form.errors else 200)


def _owned_receipt(request: HttpRequest, receipt_id: str) -> Receipt:
    owned = Receipt.objects.filter(organization__owner=request_user(request))
    owned_receipt: Receipt = get_object_or_404(
        owned.select_related("organization", "quote"), public_id=receipt_id
    )
    return owned_receipt


def _credits_page(request: HttpRequest, organization: Organization, form: BuyForm) -> HttpResponse:
    method = payment_methods.preferred()
    of_organization = Receipt.objects.for_organization(organization.pk)
    receipts = pages.paginate(request, receipt_status.with_status(of_organization), size=10)
    context = {
        **_base_context(organization),
        "balances": statements.balances_by_organization([organization.pk]).get(
            organization.pk, statements.NO_CREDITS
        ),
        "debts": statements.open_debts(organization.pk),
        "form": form,
        "packs": packs.offered(),
        "method": method,
        "max_credits": packs.MAX_CREDITS,
        "receipts": receipts.rows,
        "next_url": receipts.next_url,
    }
    return render(request, "billing/credits.html", context, status=422 if form.errors else 200)


def _owned_organization(request: HttpRequest, organization_id: str) -> Organization:
    return get_object_or_404(Organization, public_id=organization_id, owner=request_user(request))


def _base_context(organization: Organization) -> dict[str, object]:
    agents = list(organization.agents.select_related("organization").order_by("id")[:10])
    return {
        "section": "agents",
        "tab": "credits",
        "organization": organization,
        "agents": agents,
        "agent": agents[0],
    }
