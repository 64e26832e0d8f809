"""The admin of GitHub events, and their replay."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from feedback.github_queue import client, github_events
from feedback.models import GithubEvent
from imageskill.lib.admin.actions import ActionRefused, ActionRequest, StaffAction
from imageskill.lib.admin.bases import ReadOnlyAdmin


def _preview(event: GithubEvent) -> Sequence[str]:
    try:
        outcome = github_events.preview(event=event)
    except Exception as error:  # noqa: BLE001 - whatever it raises is what staff must see
        return (f"A replay now would fail: {type(error).__name__}: {error}",)
    labels = ", ".join(event.issue_labels) or "none"
    return (
        f"{event.repository}#{event.issue_number}: {event.issue_state}, labels: {labels}.",
        f"Outcome: {outcome}. An event older than the recorded state changes nothing.",
    )


def _replay(event: GithubEvent, action: ActionRequest) -> str:
    try:
        outcome = github_events.replay(event=event, user=action.user, reason=action.reason)
    except Exception as error:
        raise ActionRefused(f"The replay failed: {type(error).__name__}: {error}") from error
    return f"Replayed: {outcome}."


EVENT_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="replay",
        label="Replay",
        permission=("accounts.event_replay", "accounts.act_on_feedback"),
        dry_run="accounts.event_dry_run",
        preview=_preview,
        perform=_replay,
        is_open=lambda event: event.is_replayable,
    ),
)


@admin.register(GithubEvent)
class GithubEventAdmin(ReadOnlyAdmin):
    """One webhook event of GitHub."""

    view_permission = "accounts.see_feedback"
    empty_text = "GitHub webhooks appear here. An operator sets their URL and secret."
    export_also = (
        "repository",
        "issue_number",
        "issue_updated_at",
    )
    object_actions = EVENT_ACTIONS
    list_display = ("received_at", "event", "action", "issue", "state", "attempts", "outcome")
    list_filter = ("state",)
    search_fields = ("delivery_id__exact",)
    search_help_text = "Delivery ID, or an issue as owner/name#12 or its URL"
    fields = (
        "delivery_id",
        *list_display,
        "issue_state",
        "issue_labels",
        "error",
        "deliveries",
        "handled_at",
        "next_attempt_at",
    )
    badges = {"state": {"handled": "success", "failed": "danger", "received": "warning"}}
    copyable_fields = ("delivery_id",)
    labels = {"state": "status", "delivery_id": "delivery"}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find the events of an issue too."""
        issue = client.parse_issue_reference(search_term)
        if issue is None:
            return super().get_search_results(request, queryset, search_term)
        repository, number = issue
        return queryset.filter(repository=repository, issue_number=number), False

    @display(description="issue")
    def issue(self, event: GithubEvent) -> str:
        return f"{event.repository}#{event.issue_number}" if event.issue_number else "–"
