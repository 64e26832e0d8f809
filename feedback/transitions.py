"""Moving a report from state to state: the one writer of `Report.state` after intake."""

from feedback.models import Report
from feedback.states import Transition


class ReportTransitionRefused(Exception):
    """The report can't take this move; the text says why, for a person to read."""


def lock_report(report_id: int) -> Report:
    """Load a report for a change, inside the caller's transaction."""
    return Report.objects.select_for_update(no_key=True).get(pk=report_id)


def lock_reports(*report_ids: int) -> dict[int, Report]:
    """Load some reports for a change, locked in the one order that everybody takes."""
    rows = Report.objects.select_for_update(no_key=True).filter(pk__in=report_ids)
    return {report.pk: report for report in rows.order_by("pk")}


def refusal_reason(report: Report, move: Transition) -> str:
    """Return why the report can't take the move as it stands, or nothing."""
    if report.state in move.sources:
        return ""
    return (
        f"The report is {report.get_state_display().lower()}; {move.label.lower()} does not apply."
    )


def apply(report: Report, move: Transition, *, duplicate_of: Report | None = None) -> None:
    """Move a locked report. Raises `NotPossible`."""
    if reason := refusal_reason(report, move):
        raise ReportTransitionRefused(reason)
    report.state = move.to
    report.duplicate_of = duplicate_of
    report.save(update_fields=["state", "duplicate_of"])
