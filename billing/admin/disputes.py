"""Open disputes by deadline: what to answer next, how much is at stake, and why."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from billing.models import PaymentReversal
from billing.models.reversals import PaymentReversalQuerySet
from imageskill.lib import amounts, clock
from imageskill.lib.admin.formatting import display_datetime, format_count, object_link

PAGE_SIZE = 50


def view(request: HttpRequest) -> HttpResponse:
    """Show a page of them, the next deadline first, narrowed to a reason where one is given."""
    if not request.user.has_perm("accounts.see_payments"):
        raise PermissionDenied
    every = PaymentReversal.objects.open_disputes()
    reason = request.GET.get("reason")
    rows = every if reason is None else every.filter(reason=reason)
    page_rows = list(_page(rows, request.GET.get("after", ""))[: PAGE_SIZE + 1])
    shown, is_more = page_rows[:PAGE_SIZE], len(page_rows) > PAGE_SIZE
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Open disputes",
        "reason": reason,
        "reasons": _by_reason(every),
        "disputes": [_row(dispute) for dispute in shown],
        "later_url": _url(reason, after=shown[-1].pk) if is_more else None,
        "first_url": _url(reason) if request.GET.get("after") else None,
    }
    return TemplateResponse(request, "admin/billing/disputes.html", context)


def _page(rows: PaymentReversalQuerySet, after: str) -> PaymentReversalQuerySet:
    rows = rows.select_related("receipt", "evidence")
    last = PaymentReversal.objects.filter(pk=after).first() if after.isdecimal() else None
    return rows.due_after(last) if last else rows


def _url(reason: str | None, **place: int) -> str:
    query: dict[str, Any] = {} if reason is None else {"reason": reason}
    return reverse("admin:billing_disputes", query=query | place)


def _by_reason(every: PaymentReversalQuerySet) -> list[dict[str, Any]]:
    sums = every.order_by().values("reason", "currency")
    totals = sums.annotate(number=Count("pk"), cents=Sum("amount_cents"))
    return [
        {
            **row,
            "label": _words(row["reason"]) or "no reason",
            "amount": amounts.format_amount(row["cents"], row["currency"]),
            "url": _url(row["reason"]),
        }
        for row in totals.order_by("reason", "currency")
    ]


def _row(dispute: PaymentReversal) -> dict[str, Any]:
    return {
        "link": object_link(dispute, dispute.stripe_id),
        "due": display_datetime(dispute.evidence_due_by),
        "left": _time_left(dispute),
        "is_overdue": _is_overdue(dispute),
        "amount": amounts.format_amount(dispute.amount_cents, dispute.currency),
        "reason": _words(dispute.reason) or "–",
        "state": dispute.get_state_display(),
        "stripe_status": _words(dispute.stripe_status),
        "receipt": object_link(dispute.receipt),
        "evidence_url": reverse("admin:console_evidence", args=[dispute.public_id]),
        "evidence": _evidence_status(dispute),
    }


def _words(code: str) -> str:
    """Write one of Stripe's codes as words: `needs_response` is "needs response"."""
    return code.replace("_", " ")


def _evidence_status(dispute: PaymentReversal) -> str:
    evidence = getattr(dispute, "evidence", None)
    if evidence is None:
        return "not started"
    return "submitted" if evidence.sent_at else "draft"


def _is_overdue(dispute: PaymentReversal) -> bool:
    due_by = dispute.evidence_due_by
    is_answered = _evidence_status(dispute) == "submitted"
    return due_by is not None and due_by < clock.now() and not is_answered


def _time_left(dispute: PaymentReversal) -> str:
    """Return how long there is to answer."""
    if dispute.evidence_due_by is None:
        return "no deadline"
    if _is_overdue(dispute):
        return "Overdue"
    days = (dispute.evidence_due_by - clock.now()).days
    if days < 0:
        return "submitted in time"
    return f"{format_count(days, 'day')} left" if days else "today"
