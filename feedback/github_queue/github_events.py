"""What happens to issues at GitHub afterwards: closed, reopened, labeled; by webhook or read.

Both ways end in `learn`, which drops what is older than what is known, so that order and
repetition don't matter. A webhook is stored before its news is taken in: what fails then stays
as failed, and staff can replay it.
"""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import User
from feedback import notifications
from feedback.github_queue import client
from feedback.github_queue.client import GithubFailure, Issue
from feedback.models import GithubEvent, GithubRepository, QueueItem
from feedback.states import STATES_WITH_ISSUE
from imageskill.lib import clock, strict_json

log = structlog.get_logger(__name__)

_State = GithubEvent.State
_ACTIONS = frozenset({"closed", "reopened", "labeled", "unlabeled"})
_OVERLAP = timedelta(minutes=5)
_INITIAL_LOOKBACK = timedelta(days=7)


class InvalidGithubEvent(Exception):
    """The body is signed, and no event of GitHub's."""


def receive(*, body: bytes, signature: str, event: str, delivery_id: str) -> bool:
    """Take one webhook, once; False if it was here before.

    Raises `github.BadSignature` for a body that GitHub did not sign with a secret of ours, and
    `NotAnEvent` for one that is signed but can't be read.
    """
    client.verify_webhook(body=body, signature=signature)
    try:
        payload = strict_json.parse(body)
        stored_event = _parse(payload, event=event, delivery_id=delivery_id)
    except (strict_json.InvalidJson, KeyError, TypeError, ValueError, AttributeError):
        raise InvalidGithubEvent from None
    try:
        with transaction.atomic():
            stored_event.save(force_insert=True)
    except IntegrityError:
        return False  # this delivery is here already
    if stored_event.state == _State.RECEIVED:
        _handle(stored_event)
    return True


def preview(*, event: GithubEvent) -> str:
    """Show what taking the event in now would come to, and change nothing.

    Raises whatever taking it in raises.
    """
    with transaction.atomic():
        outcome = _sync_event(event)
        transaction.set_rollback(True)
    return outcome


def replay(*, event: GithubEvent, user: User, reason: str) -> str:
    """Take a stored event in again on behalf of staff; gives what came of it.

    Raises whatever taking it in raises, and then nothing has changed.
    """
    with transaction.atomic():
        locked = GithubEvent.objects.select_for_update().get(pk=event.pk)
        outcome = _sync_event(locked)
        _finish(locked, _State.HANDLED, outcome=outcome)
        audit.record(
            user=user,
            action="github_event.replay",
            subject=locked.delivery_id,
            reason=reason,
            before={"state": locked.state},
            after={"state": _State.HANDLED, "outcome": outcome},
        )
    return outcome


def poll(*, repository: str) -> None:
    """Read what changed since the last look; for the days on which no webhook came."""
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
        return  # the next look begins where this one began
    GithubRepository.objects.filter(pk=row.pk).update(read_up_to=now)


def sync_issue(*, repository: str, issue: Issue) -> int:
    """Take in how an issue is now, inside the caller's transaction; gives how many were told."""
    items = (
        QueueItem.objects.select_for_update(of=("self",))
        .filter(
            repository__iexact=repository, issue_number=issue.number, state__in=STATES_WITH_ISSUE
        )
        .select_related("report__duplicate_of")
        .order_by("pk")
    )
    notified = 0
    for item in items:
        if item.issue_updated_at and issue.updated_at < item.issue_updated_at:
            continue
        news = _issue_changes(item, issue)
        item.issue_state, item.issue_labels = issue.state[:16], list(issue.labels)
        item.issue_updated_at = issue.updated_at
        item.save(update_fields=["issue_state", "issue_labels", "issue_updated_at"])
        for change in news:
            notifications.notify_outcome(item, news=change)
        notified += bool(news)
    return notified


def _handle(event: GithubEvent) -> None:
    """Take a stored event in; a failure is stored too, not raised: GitHub could do no better."""
    try:
        with transaction.atomic():
            _finish(event, _State.HANDLED, outcome=_sync_event(event))
    except Exception as error:
        log.warning("github_event_failed", delivery=event.delivery_id, exc_info=True)
        _finish(event, _State.FAILED, error=type(error).__name__)


def _sync_event(event: GithubEvent) -> str:
    """Take in what the row says of its issue; gives the outcome in words."""
    assert event.issue_number is not None
    assert event.issue_updated_at is not None
    issue = Issue(
        number=event.issue_number,
        url="",
        state=event.issue_state,
        labels=tuple(event.issue_labels),
        body="",
        updated_at=event.issue_updated_at,
    )
    notified = sync_issue(repository=event.repository, issue=issue)
    return f"told {notified} reports" if notified else "nothing new"


def _finish(event: GithubEvent, state: str, *, outcome: str = "", error: str = "") -> None:
    GithubEvent.objects.filter(pk=event.pk).update(state=state, outcome=outcome, error=error[:120])


def _issue_changes(item: QueueItem, issue: Issue) -> list[str]:
    news = []
    if issue.state != item.issue_state:
        news.append("issue_closed" if issue.state == "closed" else "issue_reopened")
    if set(issue.labels) != set(item.issue_labels):
        news.append("issue_labelled")
    return news


def _parse(payload: dict[str, Any], *, event: str, delivery_id: str) -> GithubEvent:
    """Keep what we need of a webhook; the words of the issue stay at GitHub."""
    if not delivery_id:
        raise InvalidGithubEvent
    stored_event = GithubEvent(
        delivery_id=delivery_id[:64],
        event=event[:40],
        action=str(payload.get("action") or "")[:40],
        repository=str((payload.get("repository") or {}).get("full_name") or "")[:140],
        received_at=clock.now(),
    )
    if event == "issues" and stored_event.action in _ACTIONS:
        issue = Issue.read(payload["issue"])
        stored_event.issue_number, stored_event.issue_state = issue.number, issue.state[:16]
        stored_event.issue_labels, stored_event.issue_updated_at = (
            list(issue.labels),
            issue.updated_at,
        )
        stored_event.state = _State.RECEIVED
    else:
        stored_event.state, stored_event.outcome = _State.IGNORED, "nothing that concerns reports"
    return stored_event
