"""Actions of the feedback inbox: a preview for each report, then the outcome of each."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from feedback import redaction, transitions, triage
from feedback.admin import inbox
from feedback.admin.inbox import ACT_PERMISSION, format_age
from feedback.github_queue import queue
from feedback.github_queue.issue_text import IssueText
from feedback.models import Report
from feedback.states import TRANSITIONS
from feedback.triage import TriageRequest
from imageskill.lib.admin import actions

_MAX_REPORTS = 100  # reports of one form
_MAX_ISSUES_SHOWN = 5  # each takes statements and the reading of prompts


@dataclass(slots=True)
class ReviewRow:
    """One report of a preview or an outcome: what happens, or why it is refused."""

    report: Report
    sentence: str = ""
    refusal: str = ""
    issue: IssueText | None = None


def view(request: HttpRequest) -> HttpResponse:
    """Show what an action would do, or do it where the form says so."""
    if request.method != "POST":
        return inbox.view(request)  # a reload, or a return from signing in
    if not request.user.has_perm(ACT_PERMISSION):
        raise PermissionDenied
    triage_request = _parse_request(request)
    reports = _selected_reports(request)
    if triage_request is None or not reports:
        messages.info(request, "Select reports and an action first.")
        return HttpResponseRedirect(reverse("admin:feedback_inbox"))
    if "apply" not in request.POST:
        return _review(request, triage_request, reports)
    if problem := _problem(triage_request, reports):
        return _review(request, triage_request, reports, problem=problem)
    if not actions.consume_key(request):
        return HttpResponseRedirect(_inbox_url(request, forget_open=True))
    return _apply(request, triage_request, reports)


def _problem(triage_request: TriageRequest, reports: list[Report]) -> str:
    """Return what the form lacks, so that the page asks for it instead of refusing every row."""
    if triage_request.move.needs_reason and not triage_request.reason:
        return "Enter a reason."
    refusals = [triage.refusal_reason(report, triage_request) for report in reports]
    return refusals[0] if triage_request.move.needs_target and all(refusals) else ""


def _parse_request(request: HttpRequest) -> TriageRequest | None:
    move = TRANSITIONS.get(request.POST.get("move", ""))
    if move is None:
        return None
    reason = request.POST.get("reason", "").strip()[:1000]
    target = request.POST.get("target", "") or request.POST.get("other_target", "")
    return TriageRequest(move, request.user, reason, target.strip()[:64])  # type: ignore[arg-type]


def _selected_reports(request: HttpRequest) -> list[Report]:
    pks = [int(pk) for pk in request.POST.getlist("ids") if pk.isascii() and pk.isdigit()]
    rows = Report.objects.filter(pk__in=pks[:_MAX_REPORTS]).select_related("agent", "duplicate_of")
    return list(rows.order_by("-pk"))


def _review(
    request: HttpRequest, triage_request: TriageRequest, reports: list[Report], *, problem: str = ""
) -> HttpResponse:
    similar = (
        triage.find_similar(reports[0])
        if triage_request.move.needs_target and len(reports) == 1
        else []
    )
    is_open = triage_request.move.needs_target and not triage_request.target_id
    rows = [
        ReviewRow(
            report,
            sentence=_sentence(report, triage_request),
            # Without a target yet, the page asks for it instead of refusing every row.
            refusal="" if is_open else triage.refusal_reason(report, triage_request),
        )
        for report in reports
    ]
    if triage_request.move.name == "queue":
        for row in [row for row in rows if not row.refusal][:_MAX_ISSUES_SHOWN]:
            _write_issue(row)
    return _page(
        request,
        "admin/feedback/review.html",
        triage_request,
        rows=rows,
        number=sum(not row.refusal for row in rows),
        similar=similar,
        problem=problem,
        key=actions.form_key(request),
        issues_shown=_MAX_ISSUES_SHOWN,
    )


def _apply(
    request: HttpRequest, triage_request: TriageRequest, reports: list[Report]
) -> HttpResponse:
    rows = []
    for report in reports:
        row = ReviewRow(report)
        try:
            row.report = triage.apply(report_id=report.pk, triage_request=triage_request)
            row.sentence = f"now {row.report.get_state_display()}"
        except transitions.ReportTransitionRefused as refusal:
            row.refusal = str(refusal)
        rows.append(row)
    number = sum(not row.refusal for row in rows)
    return _page(request, "admin/feedback/outcome.html", triage_request, rows=rows, number=number)


def _page(
    request: HttpRequest, template: str, triage_request: TriageRequest, **more: Any
) -> HttpResponse:
    for row in more["rows"]:
        row.report.age = format_age(row.report)
    context = {
        **admin.site.each_context(request),
        "title": triage_request.move.label,
        "triage_request": triage_request,
        "back": _inbox_url(request, forget_open=template.endswith("outcome.html")),
        "back_query": request.POST.get("back", ""),
        **more,
    }
    return TemplateResponse(request, template, context)


def _write_issue(row: ReviewRow) -> None:
    try:
        row.issue = queue.preview(row.report)
    except redaction.UnsafeText as unsafe:
        row.sentence = f"Will be blocked: {unsafe}"


def _sentence(report: Report, triage_request: TriageRequest) -> str:
    sentence = f"{report.get_state_display()} → {triage_request.move.to.label}"
    if triage_request.move.name == "accept" and triage.is_auto_queued(report):
        sentence += ", then queued for GitHub automatically"
    if report.repeats and triage_request.move.needs_target:
        sentence += f", with {_count_repeats(report.repeats)}"
    return sentence


def _count_repeats(number: int) -> str:
    return "its repeat" if number == 1 else f"its {number} repeats"


def _inbox_url(request: HttpRequest, *, forget_open: bool = False) -> str:
    """Return the URL of the inbox as it was left; only its query comes from the form.

    Reports that were changed are not opened again: the next one is.
    """
    query = QueryDict(request.POST.get("back", "").removeprefix("?"), mutable=True)
    if forget_open:
        query.pop("open", None)
    return f"{reverse('admin:feedback_inbox')}?{query.urlencode()}"
