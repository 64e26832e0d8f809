"""The state of reports at a past moment, from the audit of triage and the queue to GitHub."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.models import AuditLine
from feedback.models import QueueItem, Report
from feedback.states import QueueState, ReportState


def states_at(reports: Sequence[Report], *, at: datetime) -> dict[int, str | None]:
    """Return each report's state by its key; None where later queue changes make it unknowable."""
    lines: dict[str, list[AuditLine]] = {report.public_id: [] for report in reports}
    state_changes = AuditLine.objects.filter(
        Q(after__has_key="state") | Q(after__has_key="queue"), subject__in=lines
    )
    for line in state_changes.order_by("pk"):
        lines[line.subject].append(line)
    items = {item.report_id: item for item in QueueItem.objects.filter(report__in=reports)}
    return {
        report.pk: _state_at(report, lines[report.public_id], items.get(report.pk), at)
        for report in reports
    }


def _state_at(
    report: Report, lines: Sequence[AuditLine], item: QueueItem | None, at: datetime
) -> str | None:
    before = [_state_from_audit(line.after) for line in lines if line.at <= at]
    later = [line for line in lines if line.at > at]
    if before and before[-1] != ReportState.QUEUED:
        return before[-1]
    next_known = _state_from_audit(later[0].before) if later else str(report.state)
    if not before or next_known == ReportState.QUEUED:
        return next_known
    # It was queued and has left the queue since: before or after the moment?
    was_queued_again = any(_state_from_audit(line.after) == ReportState.QUEUED for line in later)
    if item is None or item.processed_at is None or was_queued_again:
        return None
    return next_known if item.processed_at <= at else ReportState.QUEUED.value


def _state_from_audit(side: Mapping[str, Any] | None) -> str:
    """Read the report's state from one side of an audit line; out of the queue is accepted."""
    values = side or {}
    if "state" in values:
        return str(values["state"])
    is_queued = values.get("queue") == QueueState.QUEUED
    return (ReportState.QUEUED if is_queued else ReportState.ACCEPTED).value
