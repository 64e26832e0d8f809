"""Notifications to the agent about its report's way to GitHub, with the values of the contract.

An agent is never shown another's report: where the issue was created from a report of another
organization, only staff see its number and URL.
"""

from accounts import activity
from feedback.models import QueueItem, Report


def notify_outcome(item: QueueItem, *, mutation: str = "none", change: str = "") -> None:
    """Record the event of an outcome, in the caller's transaction.

    `mutation` says what we did at GitHub (created or none); `change` is what happened there since.
    """
    report = item.report
    is_visible = item.has_issue and _can_see_issue(report)
    activity.record(
        activity.event(
            type="feedback.github_queue.processed",
            organization_id=report.organization_id,
            agent_id=report.agent_id,
            subject_id=report.public_id,
            operation="feedback",
            summary=_summary(item, change),
            status=item.state,
            links={"feedback_id": report.public_id},
            details={
                "github_queue": {
                    "state": item.state,
                    "reason": change or item.reason or None,
                    "issue_urls": [item.issue_url] if is_visible else [],
                    "issue_numbers": [item.issue_number] if is_visible else [],
                    "mode": item.mode,
                    "github_mutation": mutation,
                    "issue_state": (item.issue_state or None) if item.has_issue else None,
                    "issue_labels": item.issue_labels if is_visible else [],
                }
            },
        )
    )


def root_report(report: Report) -> Report:
    """Return the report that is triaged for this one: itself, or the one it repeats."""
    while report.duplicate_of is not None:
        report = report.duplicate_of
    return report


def _can_see_issue(report: Report) -> bool:
    return root_report(report).organization_id == report.organization_id


def _summary(item: QueueItem, change: str) -> str:
    if change:
        return f"Feedback's issue: {change.replace('_', ' ')}"
    return f"Feedback {item.get_state_display().lower()} on its way to GitHub"
