"""Reconciliation and month close in the console."""

from datetime import date
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display

from accounts.visitors import me
from billing import month_close
from billing.admin import closing_deeds
from billing.models import BalanceMovement, Difference, MonthClose, ReconciledDay
from imageskill.lib.admin import second_factor, spreadsheets
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.deeds import ReasonForm
from imageskill.lib.admin.shown import dollars, link_to, moment

_SEE = "accounts.see_ledger"


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin):
    """Something that Stripe and we tell differently."""

    deeds = closing_deeds.DIFFERENCE

    seen_with = _SEE
    export_fields = (
        "id",
        "day",
        "reason",
        "environment",
        "stripe_id",
        "receipt__number",
        "reversal__public_id",
        "stripe_cents",
        "our_cents",
        "state",
        "owner__email",
        "note",
        "found_at",
        "closed_at",
    )
    list_display = ("reason", "state", "day", "theirs", "ours", "stripe_id", "owner")
    list_filter = ("state", "reason")
    search_fields = ("stripe_id__exact",)
    search_help_text = "An id of Stripe's"
    list_select_related = ("owner",)
    fields = (
        "reason",
        "state",
        "day",
        "environment",
        "theirs",
        "ours",
        "stripe_id",
        "receipt_shown",
        "reversal_shown",
        "owner",
        "note",
        "found_at",
        "closed_at",
    )
    readonly_fields = fields

    @display(description="Stripe says")
    def theirs(self, difference: Difference) -> str:
        return dollars(difference.stripe_cents)

    @display(description="we say")
    def ours(self, difference: Difference) -> str:
        return dollars(difference.our_cents)

    @display(description="receipt")
    def receipt_shown(self, difference: Difference) -> str:
        return link_to(difference.receipt)

    @display(description="reversal")
    def reversal_shown(self, difference: Difference) -> str:
        return link_to(difference.reversal)


@admin.register(ReconciledDay)
class ReconciledDayAdmin(ReadOnlyAdmin):
    """One day, by Stripe's balance and by our books."""

    seen_with = _SEE
    export_fields = (
        "day",
        "environment",
        "stripe_payments_cents",
        "stripe_refunds_cents",
        "stripe_disputes_cents",
        "stripe_fees_cents",
        "receipts_cents",
        "refunds_cents",
        "disputes_cents",
        "granted_credits",
        "reversed_credits",
        "open_differences",
        "reconciled_at",
    )
    list_display = (
        "day",
        "environment",
        "theirs",
        "ours",
        "granted_credits",
        "reversed_credits",
        "open_differences",
    )
    list_filter = ("environment",)

    @display(description="Stripe: payments − refunds − disputes")
    def theirs(self, day: ReconciledDay) -> str:
        return dollars(
            day.stripe_payments_cents + day.stripe_refunds_cents + day.stripe_disputes_cents
        )

    @display(description="we: receipts − refunds − disputes")
    def ours(self, day: ReconciledDay) -> str:
        return dollars(day.receipts_cents - day.refunds_cents - day.disputes_cents)


@admin.register(BalanceMovement)
class BalanceMovementAdmin(ReadOnlyAdmin):
    """One of Stripe's balance transactions."""

    seen_with = _SEE
    export_fields = (
        "stripe_id",
        "category",
        "stripe_type",
        "source_id",
        "amount_cents",
        "fee_cents",
        "net_cents",
        "currency",
        "exchange_rate",
        "environment",
        "is_ours",
        "receipt__number",
        "reversal__public_id",
        "created_at",
        "read_at",
    )


@admin.register(MonthClose)
class MonthCloseAdmin(ReadOnlyAdmin):
    """A month that was frozen."""

    deeds = closing_deeds.MONTH

    seen_with = _SEE
    export_fields = (
        "month",
        "version",
        "closed_by__email",
        "closed_at",
        "reopen_asked_by__email",
        "reopen_reason",
        "reopened_by__email",
        "reopened_at",
    )
    list_display = ("month", "version", "closed_by", "closed", "reopened_at", "file")
    list_select_related = ("closed_by",)
    fields = (
        "month",
        "version",
        "previous_digest",
        "digest",
        "closed_by",
        "closed",
        "reopen_asked_by",
        "reopen_reason",
        "reopened_by",
        "reopened_at",
    )
    readonly_fields = fields

    change_list_template = "admin/billing/month_list.html"
    change_form_after_template = "admin/billing/_month_statement.html"

    def get_urls(self) -> list[URLPattern]:
        """Add closing a month, and the export of a closed one."""
        return [
            path("close/", self.admin_site.admin_view(self.close_view), name="billing_month_close"),
            path(
                "<int:pk>/month.csv",
                self.admin_site.admin_view(self.csv_view),
                name="billing_month_csv",
            ),
            *super().get_urls(),
        ]

    def close_view(self, request: HttpRequest) -> HttpResponse:
        """Show what a month comes to, then freeze it."""
        if not request.user.has_perm("accounts.month_close"):
            raise PermissionDenied
        second_factor.require_lately(request)
        month = _month(request.POST.get("month") or request.GET.get("month", ""))
        form = ReasonForm(request.POST or None)
        refusal = ""
        if month and form.is_valid():
            refusal = self._close(request, month, form.cleaned_data["reason"])
            if not refusal:
                return HttpResponseRedirect(reverse("admin:billing_monthclose_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Close a month",
            "opts": self.model._meta,
            "month": month,
            "form": form,
        }
        if month:
            context |= _look(month)
        if refusal:
            context["refusal"] = refusal
        return TemplateResponse(request, "admin/billing/month_close.html", context)

    def _close(self, request: HttpRequest, month: date, reason: str) -> str:
        """Close the month; gives why not, where it is refused."""
        seen = request.POST.get("seen", "")
        try:
            closed = month_close.close(month=month, user=me(request), reason=reason, seen=seen)
        except month_close.CloseRefused as refusal:
            return str(refusal)
        messages.success(request, f"{closed} is closed and chained.")
        return ""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what the month came to in words."""
        closed = self.get_object(request, object_id)
        said = {"statement": month_close.statement(closed.figures)} if closed else {}
        return super().change_view(request, object_id, form_url, {**said, **(extra_context or {})})

    def csv_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Give a closed month as CSV."""
        if not self.has_view_permission(request) or not request.user.has_perm(self.export_with):
            raise PermissionDenied
        closed = get_object_or_404(MonthClose, pk=pk)
        header, *rows = month_close.export(closed)
        response = StreamingHttpResponse(
            spreadsheets.csv_lines([str(cell) for cell in header], rows),
            content_type="text/csv; charset=utf-8",
        )
        response["Content-Disposition"] = f'attachment; filename="{closed.month:%Y-%m}.csv"'
        return response

    @display(description="file")
    def file(self, month: MonthClose) -> str:
        url = reverse("admin:billing_month_csv", args=[month.pk])
        return format_html('<a href="{}">CSV</a>', url)

    @display(description="closed")
    def closed(self, month: MonthClose) -> str:
        return moment(month.closed_at)


def _look(month: date) -> dict[str, Any]:
    try:
        figures = month_close.look(month)
    except month_close.CloseRefused as refusal:
        return {"refusal": str(refusal)}
    return {"statement": month_close.statement(figures), "seen": month_close.mark_of(figures)}


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
