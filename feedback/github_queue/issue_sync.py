"""What happens to issues at GitHub afterwards: closed, reopened, labeled; by webhook or polled.

Both ways end in `sync_issue`, which drops what is older than what is known, so that order and
repetition don't matter.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from feedback import notifications
from feedback.github_queue import client
from feedback.github_queue.client import GithubFailure, Issue
from feedback.models import GithubRepository, QueueItem
from feedback.states import STATES_WITH_ISSUE
from imageskill.lib import clock, trace

_OVERLAP = timedelta(minutes=5)
_INITIAL_LOOKBACK = timedelta(days=7)


def poll(*, repository: str) -> None:
    """Read what changed since the last poll, for the days on which no webhook came."""
    row, _ = GithubRepository.objects.get_or_create(name=repository)
    now = clock.now()
    if row.paused_until and row.paused_until > now:
        return
    since = row.read_up_to - _OVERLAP if row.read_up_to else now - _INITIAL_LOOKBACK
    try:
        for issue in client.list_changed_issues(repository=repository, since=since):
            with transaction.atomic():
                sync_issue(repository=repository, issue=issue)
    except GithubFailure as failure:
        if failure.is_limit:
            pause = timedelta(seconds=failure.retry_after_s or settings.GITHUB_RETRY_S)
            GithubRepository.objects.filter(pk=row.pk).update(
                paused_until=clock.now() + pause, pause_reason=failure.kind
            )
        return  # the next poll begins where this one began
    GithubRepository.objects.filter(pk=row.pk).update(read_up_to=now)


def sync_issue(*, repository: str, issue: Issue) -> int:
    """Store how an issue is now, in the caller's transaction; return how many reports changed."""
    items = (
        QueueItem.objects.select_for_update(of=("self",))
        .filter(
            repository__iexact=repository, issue_number=issue.number, state__in=STATES_WITH_ISSUE
        )
        .select_related("report__duplicate_of")
        .order_by("pk")
    )
    changed = 0
    for item in items:
        if item.issue_updated_at and issue.updated_at < item.issue_updated_at:
            continue
        changes = _issue_changes(item, issue)
        item.issue_state, item.issue_labels = issue.state[:16], list(issue.labels)
        item.issue_updated_at = issue.updated_at
        item.save(update_fields=["issue_state", "issue_labels", "issue_updated_at"])
        with trace.own():  # the same issue follows reports of several organizations
            for change in changes:
                notifications.notify_outcome(item, change=change)
        changed += bool(changes)
    return changed


def _issue_changes(item: QueueItem, issue: Issue) -> list[str]:
    changes = []
    if issue.state != item.issue_state:
        changes.append("issue_closed" if issue.state == "closed" else "issue_reopened")
    if set(issue.labels) != set(item.issue_labels):
        changes.append("issue_labelled")
    return changes
