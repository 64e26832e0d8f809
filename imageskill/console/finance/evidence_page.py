"""The evidence page of a dispute: gathered, edited, submitted to Stripe."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.request_user import request_user
from billing.models import DisputeEvidence, PaymentReversal
from billing.reversals import evidence
from imageskill.console.finance import evidence_images, evidence_pack
from imageskill.lib.admin import second_factor

_DRAFT = ("accounts.dispute_draft", "accounts.dispute_send")


class EvidenceForm(forms.Form):
    """One field for each part of the evidence; all may be empty."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, label in evidence.FIELD_LABELS.items():
            self.fields[name] = forms.CharField(
                label=label,
                required=False,
                max_length=evidence.MAX_CHARACTERS,
                widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
            )


def view(request: HttpRequest, reversal_id: str) -> HttpResponse:
    """Show the draft or the gathered evidence; save it or, with the permission, submit it."""
    if not request.user.has_perm("accounts.see_payments"):
        raise PermissionDenied
    reversal = get_object_or_404(
        PaymentReversal.objects.select_related("receipt__organization__owner"),
        public_id=reversal_id,
        kind=PaymentReversal.Kind.DISPUTE,
    )
    form = EvidenceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _save_or_send(request, reversal, form.cleaned_data)
    return _render(request, reversal, form if request.method == "POST" else None)


def _save_or_send(
    request: HttpRequest, reversal: PaymentReversal, parts: dict[str, str]
) -> HttpResponse:
    if not any(map(request.user.has_perm, _DRAFT)):
        raise PermissionDenied
    is_sending = "send" in request.POST
    if is_sending:
        if not request.user.has_perm("accounts.dispute_send"):
            raise PermissionDenied
        second_factor.require_recent(request)
    try:
        evidence.save_draft(reversal=reversal, parts=parts, user=request_user(request))
        if is_sending and "confirmed" not in request.POST:
            return _confirm(request, reversal, parts)
        if is_sending:
            _submit(request, reversal)
    except evidence.EvidenceRefused as refusal:
        messages.error(request, str(refusal))
    else:
        done = "Evidence submitted to the bank." if is_sending else "Draft saved."
        messages.success(request, done)
    return HttpResponseRedirect(request.path)


def _submit(request: HttpRequest, reversal: PaymentReversal) -> None:
    evidence.submit(
        reversal=reversal,
        user=request_user(request),
        reason="evidence sent",
        images=evidence_images.build_sheet(evidence_pack.build(reversal).assets),
    )


def _confirm(
    request: HttpRequest, reversal: PaymentReversal, parts: dict[str, str]
) -> HttpResponse:
    """Show what the bank would get, and ask once more: it can be sent a single time."""
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": f"Submit evidence, dispute {reversal.stripe_id}",
        "reversal": reversal,
        "parts": [
            (name, label, parts[name])
            for name, label in evidence.FIELD_LABELS.items()
            if parts.get(name)
        ],
        "image_count": min(len(evidence_pack.build(reversal).assets), evidence_images.MAX_IMAGES),
    }
    return TemplateResponse(request, "admin/console/evidence_confirm.html", context)


def _render(request: HttpRequest, reversal: PaymentReversal, form: Any) -> HttpResponse:
    pack = evidence_pack.build(reversal)
    draft = DisputeEvidence.objects.filter(reversal=reversal).select_related("sent_by").first()
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": f"Evidence, dispute {reversal.stripe_id}",
        "reversal": reversal,
        "draft": draft,
        "form": form or EvidenceForm(initial=draft.parts if draft else pack.parts),
        "assets": pack.assets,
        "may_draft": any(map(request.user.has_perm, _DRAFT)),
        "may_send": request.user.has_perm("accounts.dispute_send"),
    }
    return TemplateResponse(request, "admin/console/evidence.html", context)
