"""Month close in the console."""

from collections.abc import Sequence
from datetime import date
from functools import partial
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

from accounts.request_user import request_user
from billing.models import MonthClose
from billing.reconciliation import month_close
from imageskill.lib.admin import second_factor, spreadsheets
from imageskill.lib.admin.actions import ActionForm, StaffAction, perform_with
from imageskill.lib.admin.bases import ReadOnlyAdmin

_VIEW_PERMISSION = "accounts.see_ledger"


_perform_with = partial(perform_with, subject="closed", refused=month_close.MonthCloseRefused)


_MONTH_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="ask-to-reopen",
        label="Request reopening",
        permission="accounts.ledger_request",
        preview=lambda closed: (f"{closed} stays closed until a second person approves.",),
        perform=_perform_with(month_close.request_reopen, "Pending approval by a second person."),
        is_open=lambda closed: closed.reopened_at is None and closed.reopen_asked_by_id is None,
    ),
    StaffAction(
        name="reopen",
        label="Approve reopening",
        permission="accounts.ledger_approve",
        preview=lambda closed: (
            f"Requested by {closed.reopen_asked_by}: {closed.reopen_reason}",
            "The closed figures are kept; closing the month again adds a version.",
        ),
        perform=_perform_with(month_close.reopen, "The month is open again."),
        is_open=lambda closed: closed.reopened_at is None and closed.reopen_asked_by_id is not None,
        is_sensitive=True,
    ),
)


@admin.register(MonthClose)
class MonthCloseAdmin(ReadOnlyAdmin):
    """A month that was frozen."""

    object_actions = _MONTH_ACTIONS

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "Closed months appear here once finance closes one, each chained to the month before."
    )
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
    list_display = ("month_name", "version", "status", "closed_by", "closed_at", "file")
    labels = {"reopen_asked_by": "reopening requested by"}
    list_select_related = ("closed_by",)
    fields = (
        "month_name",
        "version",
        "previous_digest",
        "digest",
        "closed_by",
        "closed_at",
        "reopen_asked_by",
        "reopen_reason",
        "reopened_by",
        "reopened_at",
    )

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
        second_factor.require_recent(request)
        month = _parse_month(request.POST.get("month") or request.GET.get("month", ""))
        form = ActionForm(request.POST or None)
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
            context |= _preview(month)
        if refusal:
            context["refusal"] = refusal
        return TemplateResponse(request, "admin/billing/month_close.html", context)

    def _close(self, request: HttpRequest, month: date, reason: str) -> str:
        """Close the month; return why it was refused, or nothing."""
        seen = request.POST.get("seen", "")
        try:
            closed = month_close.close(
                month=month, user=request_user(request), reason=reason, seen=seen
            )
        except month_close.MonthCloseRefused as refusal:
            return str(refusal)
        messages.success(request, f"{closed} is closed.")
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
        statement_context = (
            {"statement": month_close.build_statement(closed.figures)} if closed else {}
        )
        return super().change_view(
            request, object_id, form_url, {**statement_context, **(extra_context or {})}
        )

    def csv_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Return a closed month as CSV."""
        if not self.has_view_permission(request) or not request.user.has_perm(
            self.admin_site.export_permission
        ):
            raise PermissionDenied
        closed = get_object_or_404(MonthClose, pk=pk)
        header, *rows = month_close.export_rows(closed)
        self.admin_site.record_export(
            user=request_user(request),
            model="billing.monthclose",
            query=f"month={closed.month:%Y-%m}&version={closed.version}",
            kind="csv",
            rows=len(rows),
            is_exact=True,
        )
        response = StreamingHttpResponse(
            spreadsheets.csv_lines([str(cell) for cell in header], rows),
            content_type="text/csv; charset=utf-8",
        )
        response["Content-Disposition"] = f'attachment; filename="{closed.month:%Y-%m}.csv"'
        return response

    @display(description="month")
    def month_name(self, month: MonthClose) -> str:
        return f"{month.month:%b %Y}"

    @display(
        description="status",
        label={"Closed": "success", "Reopening pending approval": "warning", "Reopened": "info"},
    )
    def status(self, month: MonthClose) -> str:
        if month.reopened_at is not None:
            return "Reopened"
        return "Closed" if month.reopen_asked_by_id is None else "Reopening pending approval"

    @display(description="file")
    def file(self, month: MonthClose) -> str:
        url = reverse("admin:billing_month_csv", args=[month.pk])
        return format_html('<a href="{}">CSV</a>', url)


def _preview(month: date) -> dict[str, Any]:
    try:
        figures = month_close.preview(month)
    except month_close.MonthCloseRefused as refusal:
        return {"refusal": str(refusal)}
    return {
        "statement": month_close.build_statement(figures),
        "seen": month_close.figures_fingerprint(figures),
    }


def _parse_month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
