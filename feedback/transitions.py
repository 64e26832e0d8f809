"""Transitions of reports: the one writer of `Report.state` after intake."""

from feedback.models import Report
from feedback.states import Transition


class ReportTransitionRefused(Exception):
    """The transition does not apply to the report; the message tells staff why."""


def lock_report(report_id: int) -> Report:
    """Load a report for a change, inside the caller's transaction."""
    return Report.objects.select_for_update(no_key=True).get(pk=report_id)


def lock_reports(*report_ids: int) -> dict[int, Report]:
    """Load reports for a change, locked in one order everywhere, which rules out deadlocks."""
    rows = Report.objects.select_for_update(no_key=True).filter(pk__in=report_ids)
    return {report.pk: report for report in rows.order_by("pk")}


def refusal_reason(report: Report, move: Transition) -> str:
    """Return why the transition does not apply to the report now, or an empty string."""
    if report.state in move.sources:
        return ""
    return (
        f"The report is {report.get_state_display().lower()}; {move.label.lower()} does not apply."
    )


def apply(report: Report, move: Transition, *, duplicate_of: Report | None = None) -> None:
    """Apply a transition to a locked report. Raises `ReportTransitionRefused`."""
    if reason := refusal_reason(report, move):
        raise ReportTransitionRefused(reason)
    report.state = move.to
    report.duplicate_of = duplicate_of
    report.save(update_fields=["state", "duplicate_of"])
