"""The feedback inbox: reports by state, the open one beside them, and the actions of triage.

Works as plain pages; a script adds keys and opens reports without leaving the list.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse

from accounts.models import AuditLine
from feedback import evidence, triage
from feedback.models import Report
from feedback.states import TRANSITIONS, ReportState
from imageskill.lib import clock, ids
from imageskill.lib.admin.formatting import copyable

_ROWS = 30
_COUNTED_UP_TO = 1000
_HISTORY = 8
VIEW_PERMISSION, ACT_PERMISSION = "accounts.see_feedback", "accounts.act_on_feedback"

_COUNTS = """
SELECT wanted, (
    SELECT count(*) FROM (
        SELECT 1 FROM feedback_report WHERE {column} = wanted {also} LIMIT %s
    ) few
) FROM unnest(%s::text[]) wanted
"""


@dataclass(frozen=True, slots=True)
class Tab:
    """One choice of a filter: its URL and how many reports it has."""

    name: str
    label: str
    count: str
    url: str
    is_current: bool


def view(request: HttpRequest) -> HttpResponse:
    """Show one state's reports, newest first, and the open one."""
    if not request.user.has_perm(VIEW_PERMISSION):
        raise PermissionDenied
    opened = _selected_report(request)
    if request.GET.get("part") == "report":
        return TemplateResponse(
            request, "admin/feedback/_report.html", _report_context(request, opened)
        )
    state = _choice(request, "state", ReportState.values) or ReportState.NEW
    severity = _choice(request, "severity", Report.Severity.values)
    page = list(_rows(request, state, severity)[: _ROWS + 1])
    rows = page[:_ROWS]
    if opened is None and rows and "open" not in request.GET:
        opened = _selected_report(request, rows[0].pk)
    for row in rows:
        row.age = format_age(row)  # type: ignore[attr-defined]
        row.open_url = _url(request, open=row.pk)  # type: ignore[attr-defined]
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        **_report_context(request, opened),
        "title": "Feedback inbox",
        "state": state,
        "severity": severity,
        "words": request.GET.get("q", ""),
        "states": _state_tabs(request, state),
        "severities": _severity_tabs(request, state, severity),
        "rows": rows,
        "next_url": _url(request, after=rows[-1].pk, open=None) if len(page) > _ROWS else "",
        "first_url": _url(request, after=None, open=None) if "after" in request.GET else "",
        "moves": [move for move in TRANSITIONS.values() if state in move.sources],
    }
    return TemplateResponse(request, "admin/feedback/inbox.html", context)


def format_age(report: Report) -> str:
    """Return a report's age in its largest unit."""
    seconds = int((clock.now() - report.created_at).total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"


def _rows(request: HttpRequest, state: str, severity: str) -> QuerySet[Report]:
    rows = Report.objects.filter(state=state).select_related("agent", "queue_item")
    if severity:
        rows = rows.filter(severity=severity)
    if words := request.GET.get("q", "").strip()[:200]:
        exact = Q(dedupe_key=words)
        if ids.is_id("feedback", words):
            exact |= Q(public_id=words)
        rows = rows.filter(exact | Q(title__icontains=words) | Q(body__icontains=words))
    after = _number(request, "after")
    return (rows.filter(pk__lt=after) if after else rows).order_by("-pk")


def _selected_report(request: HttpRequest, pk: int | None = None) -> Report | None:
    wanted = pk or _number(request, "open")
    related = ("agent", "organization", "queue_item", "duplicate_of")
    return Report.objects.select_related(*related).filter(pk=wanted).first() if wanted else None


def _report_context(request: HttpRequest, report: Report | None) -> dict[str, Any]:
    """Return the context of the open report."""
    may_act = request.user.has_perm(ACT_PERMISSION)
    if report is None:
        return {"report": None, "may_act": may_act, "back": _url(request)}
    parts = ("body", "command", "expected", "actual", "friction", "proof_needed")
    names = [*parts, "strategic_reason"]
    return {
        "report": report,
        "id_shown": copyable(report.public_id),
        "may_act": may_act,
        "back": _url(request),
        "age": format_age(report),
        "parts": [
            (name.replace("_", " "), text) for name in names if (text := getattr(report, name))
        ],
        "evidence": evidence.for_reports([report])[report.pk],
        "similar": triage.find_similar(report),
        "history": AuditLine.objects.filter(subject=report.public_id).order_by("-id")[:_HISTORY],
        "open_moves": [move for move in TRANSITIONS.values() if report.state in move.sources],
    }


def _state_tabs(request: HttpRequest, current: str) -> list[Tab]:
    counts = _counts("state", ReportState.values)
    return [
        Tab(
            state.value,
            state.label,
            counts[state.value],
            _url(request, state=state.value, after=None, open=None),
            state.value == current,
        )
        for state in ReportState
    ]


def _severity_tabs(request: HttpRequest, state: str, current: str) -> list[Tab]:
    counts = _counts("severity", Report.Severity.values, state=state)
    return [
        Tab(
            severity.value,
            severity.label,
            counts[severity.value],
            _url(
                request,
                severity=None if severity.value == current else severity.value,
                after=None,
                open=None,
            ),
            severity.value == current,
        )
        for severity in reversed(Report.Severity)
    ]


def _counts(column: str, wanted: list[str], *, state: str = "") -> dict[str, str]:
    """Count up to a thousand of each, in one statement that stays quick at any length."""
    also, arguments = ("AND state = %s", [state]) if state else ("", [])
    sql = _COUNTS.format(column=column, also=also)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*arguments, _COUNTED_UP_TO + 1, wanted])
        counts = dict(cursor.fetchall())
    return {
        name: f"over {_COUNTED_UP_TO:,}" if count > _COUNTED_UP_TO else f"{count:,}"
        for name, count in counts.items()
    }


def _choice(request: HttpRequest, name: str, known: list[str]) -> str:
    choice = request.GET.get(name, "")
    return choice if choice in known else ""


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _url(request: HttpRequest, **changes: object) -> str:
    query = QueryDict(mutable=True)
    kept = {name: request.GET[name] for name in ("state", "severity", "q") if name in request.GET}
    if "after" in request.GET:
        kept["after"] = request.GET["after"]
    query.update({**kept, **{name: str(value) for name, value in changes.items() if value}})
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
    return f"?{query.urlencode()}"
