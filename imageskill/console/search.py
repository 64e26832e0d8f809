"""One box for everything: any id, number, address, network or token leads to its page."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts import agents, keys
from accounts.models import ActivityEvent, Agent, Organization, TelemetryRow, User
from billing.models import (
    PaymentAttempt,
    PaymentReversal,
    Quote,
    Receipt,
    StripeEvent,
    Transfer,
    UnmatchedPayment,
)
from feedback.models import Report
from imageskill.lib.http import network_of
from jobs.models import Asset, Job, Usage

_Finder = Callable[[str], Model | None]


def _by(model: type[Model], *fields: str) -> _Finder:
    def find(text: str) -> Model | None:
        for field in fields:
            found = model._default_manager.filter(**{field: text}).order_by("-pk").first()
            if found is not None:
                return found
        return None

    return find


def _token(text: str) -> Model | None:
    token = keys.find(text)
    return token.agent if token else None


# What a text looks like, and where to look, in this order.
_FINDERS: tuple[tuple[re.Pattern[str], tuple[_Finder, ...]], ...] = tuple(
    (re.compile(pattern), finders)
    for pattern, finders in (
        (r"isk_r_\w+", (_token,)),
        (r"agt_\w+", (_by(Agent, "public_id"),)),
        (r"org_\w+", (_by(Organization, "public_id"),)),
        (r"job_\w+", (_by(Job, "public_id"),)),
        (r"image_[\w.-]+", (_by(Asset, "public_id"),)),
        (r"usage_\w+", (_by(Usage, "public_id"),)),
        (r"sig_\w+", (_by(Report, "public_id"),)),
        (r"quote_[\w-]+", (_by(Quote, "public_id"),)),
        (r"payatt_\w+", (_by(PaymentAttempt, "public_id"),)),
        (r"receipt_\w+", (_by(Receipt, "public_id"),)),
        (r"credit_event_\w+", (_by(Receipt, "credit_event_id"),)),
        (r"payment_reversal_\w+", (_by(PaymentReversal, "public_id"),)),
        (r"(IS|TEST)-\d{4}-\d+", (_by(Receipt, "number"),)),
        (r"evt_\w+", (_by(ActivityEvent, "public_id"), _by(StripeEvent, "event_id"))),
        (r"cs_\w+", (_by(PaymentAttempt, "checkout_session_id"),)),
        (
            r"pi_\w+",
            (
                _by(Receipt, "payment_intent_id"),
                _by(PaymentAttempt, "payment_intent_id"),
                _by(UnmatchedPayment, "payment_intent_id"),
            ),
        ),
        (r"(ch|py)_\w+", (_by(Receipt, "charge_id"), _by(UnmatchedPayment, "charge_id"))),
        (r"(re|pyr|du|dp)_\w+", (_by(PaymentReversal, "stripe_id"),)),
        (r"trace_[0-9a-f]{32}", (_by(Job, "trace_id"), _by(TelemetryRow, "trace_id"))),
    )
)


def find(text: str) -> Model | None:
    """Find the one thing that a pasted text names, or None."""
    text = text.strip()
    for pattern, finders in _FINDERS:
        if pattern.fullmatch(text):
            found = next((thing for look in finders if (thing := look(text))), None)
            return found or _transfer_of(text)
    return None


def view(request: HttpRequest) -> HttpResponse:
    """Show the box; lead to what was posted. Nothing posted ever stands in an address."""
    if request.method == "POST":
        url = _url_of(request.POST.get("q", "")[:400].strip())
        if url:
            return HttpResponseRedirect(url)
        messages.warning(request, "Nothing here has that id, number, address or network.")
    context: dict[str, Any] = {**admin.site.each_context(request), "title": "Search"}
    return TemplateResponse(request, "admin/console/search.html", context)


def _url_of(text: str) -> str | None:
    found = find(text)
    if found is not None:
        opts = found._meta
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[found.pk])
    if "@" in text:
        return _people(text)
    if _is_network(text):
        network = network_of(text.split("/", maxsplit=1)[0])
        return reverse("admin:accounts_agent_changelist", query={"signup_network": network})
    return None


def _people(address: str) -> str | None:
    contact = agents.normalized_contact(address)
    user = User.objects.filter(email__iexact=contact).first()
    if user is not None:
        return reverse("admin:accounts_user_change", args=[user.pk])
    if Agent.objects.filter(contact=contact).exists():
        return reverse("admin:accounts_agent_changelist", query={"contact": contact})
    return None


def _transfer_of(text: str) -> Model | None:
    return Transfer.objects.filter(reference=text).order_by("-pk").first()


def _is_network(text: str) -> bool:
    try:
        ip_address(text.split("/", maxsplit=1)[0])
    except ValueError:
        return False
    return True
