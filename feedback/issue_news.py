"""What happens to issues at GitHub afterwards: closed, reopened, labelled; by webhook or read.

Both ways end in `learn`, which drops what is older than what is known, so that order and
repetition don't matter.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from feedback import github, outcomes
from feedback.github import GithubFailure, Issue
from feedback.models import GithubEvent, GithubRepository, QueueItem
from feedback.states import HAS_ISSUE
from imageskill.lib import clock, strict_json

_ACTIONS = frozenset({"closed", "reopened", "labeled", "unlabeled"})
_OVERLAP = timedelta(minutes=5)
_FIRST_LOOK = timedelta(days=7)


class NotAnEvent(Exception):
    """The body is signed, and no event of GitHub's."""


def receive(*, body: bytes, signature: str, event: str, delivery_id: str) -> bool:
    """Take one webhook, once; False if it was here before.

    Raises `github.BadSignature` for a body that GitHub did not sign with a secret of ours, and
    `NotAnEvent` for one that is signed but can't be read.
    """
    github.verify_webhook(body=body, signature=signature)
    try:
        told = strict_json.parse(body)
        seen = _read(told, event=event, delivery_id=delivery_id)
        issue = Issue.read(told["issue"]) if seen.state == GithubEvent.State.HANDLED else None
    except (strict_json.NotStrictJson, KeyError, TypeError, ValueError, AttributeError):
        raise NotAnEvent from None
    try:
        with transaction.atomic():
            seen.save(force_insert=True)
            if issue is not None:
                told_agents = learn(repository=seen.repository, issue=issue)
                seen.outcome = f"told {told_agents} reports" if told_agents else "nothing new"
                seen.save(update_fields=["outcome"])
    except IntegrityError:
        return False  # this delivery is here already
    return True


def read(*, repository: str) -> None:
    """Read what changed since the last look; for the days on which no webhook came."""
    row, _ = GithubRepository.objects.get_or_create(name=repository)
    now = clock.now()
    if row.paused_until and row.paused_until > now:
        return
    since = row.read_up_to - _OVERLAP if row.read_up_to else now - _FIRST_LOOK
    try:
        for issue in github.issues_changed(repository=repository, since=since):
            with transaction.atomic():
                learn(repository=repository, issue=issue)
    except GithubFailure as failure:
        if failure.is_limit:
            pause = timedelta(seconds=failure.retry_after_s or settings.GITHUB_RETRY_S)
            GithubRepository.objects.filter(pk=row.pk).update(
                paused_until=clock.now() + pause, pause_reason=failure.kind
            )
        return  # the next look begins where this one began
    GithubRepository.objects.filter(pk=row.pk).update(read_up_to=now)


def learn(*, repository: str, issue: Issue) -> int:
    """Take in how an issue is now, inside the caller's transaction; gives how many were told."""
    items = (
        QueueItem.objects.select_for_update(of=("self",))
        .filter(repository__iexact=repository, issue_number=issue.number, state__in=HAS_ISSUE)
        .select_related("report__duplicate_of")
        .order_by("pk")
    )
    told = 0
    for item in items:
        if item.issue_updated_at and issue.updated_at < item.issue_updated_at:
            continue
        news = _news(item, issue)
        item.issue_state, item.issue_labels = issue.state[:16], list(issue.labels)
        item.issue_updated_at = issue.updated_at
        item.save(update_fields=["issue_state", "issue_labels", "issue_updated_at"])
        for one in news:
            outcomes.announce(item, news=one)
        told += bool(news)
    return told


def _news(item: QueueItem, issue: Issue) -> list[str]:
    news = []
    if issue.state != item.issue_state:
        news.append("issue_closed" if issue.state == "closed" else "issue_reopened")
    if set(issue.labels) != set(item.issue_labels):
        news.append("issue_labelled")
    return news


def _read(told: dict[str, Any], *, event: str, delivery_id: str) -> GithubEvent:
    """Keep what we need of a webhook; the words of the issue stay at GitHub."""
    if not delivery_id:
        raise NotAnEvent
    seen = GithubEvent(
        delivery_id=delivery_id[:64],
        event=event[:40],
        action=str(told.get("action") or "")[:40],
        repository=str((told.get("repository") or {}).get("full_name") or "")[:140],
        received_at=clock.now(),
    )
    if event == "issues" and seen.action in _ACTIONS:
        issue = Issue.read(told["issue"])
        seen.issue_number, seen.issue_state = issue.number, issue.state[:16]
        seen.issue_labels, seen.issue_updated_at = list(issue.labels), issue.updated_at
        seen.state = GithubEvent.State.HANDLED
    else:
        seen.state, seen.outcome = GithubEvent.State.IGNORED, "nothing that concerns reports"
    return seen
