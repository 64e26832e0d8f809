"""The admin of the GitHub queue: each item, its outcome and its retry."""

from collections.abc import Sequence
from functools import partial

from django.contrib import admin
from django.utils.html import format_html
from unfold.decorators import display

from feedback import redaction, transitions
from feedback.github_queue import queue
from feedback.models import GithubRepository, QueueItem
from feedback.states import RETRYABLE_STATES, QueueState
from imageskill.lib.admin.actions import StaffAction, perform_with
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import display_datetime

_perform_with = partial(perform_with, subject="item", refused=transitions.ReportTransitionRefused)


def _issue_preview(item: QueueItem) -> Sequence[str]:
    try:
        text = queue.preview(item.report)
    except redaction.UnsafeText as unsafe:
        return [f"The item would be blocked again: {unsafe}"]
    removed = ", ".join(f"{count} × {kind}" for kind, count in text.removed.items()) or "none"
    return [
        f"The issue “{text.title}” is created in {item.repository}, unless it exists already.",
        f"Redactions: {removed}. Labels: {', '.join(text.labels) or 'none'}.",
    ]


@admin.register(QueueItem)
class QueueItemAdmin(ReadOnlyAdmin):
    """One feedback report in the queue to GitHub."""

    view_permission = "accounts.see_feedback"
    empty_text = "Feedback that triage queues for GitHub appears here, with its issue and outcome."
    export_also = (
        "next_attempt_at",
        "followed_at",
        "issue_number",
        "issue_url",
        "issue_updated_at",
    )
    list_display = ("report", "state", "mode", "reason", "issue_shown", "queued_at")
    list_filter = ("state",)
    search_fields = ("report__public_id__exact",)
    search_help_text = "sig_ id"
    list_select_related = ("report",)
    fields = (
        "report",
        "state",
        "mode",
        "reason",
        "problem",
        "repository",
        "issue_shown",
        "issue_state",
        "issue_labels",
        "attempts",
        "queued_at",
        "queued_by",
        "next_attempt",
        "processed_at",
        "would_be",
    )
    badges = {
        "state": {
            "promoted": "success",
            "already_mirrored": "success",
            "deduped": "info",
            "blocked": "danger",
            "failed": "danger",
            "queued": "warning",
        }
    }
    labels = {"state": "status"}
    object_actions = (
        StaffAction(
            name="retry",
            label="Queue again",
            permission="accounts.act_on_feedback",
            preview=_issue_preview,
            perform=_perform_with(queue.retry, "The item is queued again."),
            is_open=lambda item: item.state in RETRYABLE_STATES,
        ),
        StaffAction(
            name="withdraw",
            label="Remove from queue",
            permission="accounts.act_on_feedback",
            preview=lambda item: ["No issue is created. The report returns to Accepted."],
            perform=_perform_with(queue.withdraw, "The item is removed from the queue."),
            is_open=lambda item: item.state == QueueState.QUEUED,
        ),
    )

    @display(description="issue")
    def issue_shown(self, item: QueueItem) -> str:
        if not item.issue_url:
            return "–"
        state = f" ({item.issue_state})"
        return format_html(
            '<a href="{}" rel="noreferrer">#{}</a>{}', item.issue_url, item.issue_number, state
        )

    @display(description="next attempt")
    def next_attempt(self, item: QueueItem) -> str:
        return display_datetime(item.next_attempt_at) if item.state == QueueState.QUEUED else "–"

    @display(description="issue preview")
    def would_be(self, item: QueueItem) -> str:
        try:
            text = queue.preview(item.report)
        except redaction.UnsafeText as unsafe:
            return f"Blocked: {unsafe}"
        return format_html(
            '<div class="issue"><h3>{}</h3><pre>{}</pre></div>', text.title, text.body
        )


@admin.register(GithubRepository)
class GithubRepositoryAdmin(ReadOnlyAdmin):
    """Whether calls to a repository are paused, why and until when."""

    view_permission = "accounts.see_feedback"
    empty_text = "The configured repository appears here after the first call to it."
    list_display = ("name", "pause_reason", "paused_until", "failures", "read_up_to")
    fields = list_display
    labels = {"read_up_to": "synced up to"}
