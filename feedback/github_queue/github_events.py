"""The inbox of GitHub's events: what is stored, and what handling one does (docs/adr/0013)."""

from functools import partial
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from feedback.github_queue import client, issue_sync
from feedback.github_queue.client import Issue
from feedback.models import GithubEvent
from imageskill.lib import inbox
from imageskill.lib.postgresql import strict_json

HANDLE_TASK = GithubEvent.TASK
_ACTIONS = frozenset({"closed", "reopened", "labeled", "unlabeled"})


class InvalidGithubEvent(Exception):
    """The body is signed, and no event of GitHub's."""


def receive(*, body: bytes, signature: str, event: str, delivery_id: str) -> bool:
    """Store a webhook's event once and hand it to a worker; False if it was here before.

    Raises InvalidGithubSignature for a body that GitHub did not sign with a secret of ours, and
    InvalidGithubEvent for one that is signed but can't be read.
    """
    client.verify_webhook(body=body, signature=signature)
    try:
        payload = strict_json.parse(body)
        row = _parse(payload, event=event, delivery_id=delivery_id)
    except (strict_json.InvalidJson, KeyError, TypeError, ValueError, AttributeError):
        raise InvalidGithubEvent from None
    return inbox.store(row)


def handle(*, delivery_id: str) -> None:
    """Handle a stored event, unless that was done; failures are stored, not raised."""
    inbox.handle(GithubEvent.objects.get(delivery_id=delivery_id), prepare=_prepare)


def preview(*, event: GithubEvent) -> str:
    """Return the outcome that handling the event now would have, and change nothing.

    Raises whatever handling it raises.
    """
    return str(inbox.dry_run(_prepare(event)))


def replay(*, event: GithubEvent, user: User, reason: str) -> str:
    """Handle a stored event again on behalf of staff; return the outcome.

    Raises whatever handling it raises, and then nothing has changed.
    """
    with transaction.atomic():
        former_state, outcome = inbox.replay(event, effect=_prepare(event))
        audit.record(
            user=user,
            action="github_event.replay",
            subject=event.delivery_id,
            reason=reason,
            before={"state": former_state},
            after={"state": GithubEvent.State.HANDLED, "outcome": outcome},
        )
    return outcome


def requeue_due() -> int:
    """Queue due events again: their message was lost, or they failed before."""
    return inbox.requeue_due(GithubEvent)


def _prepare(event: GithubEvent) -> inbox.Effect:
    """Return the effect of an event; the row holds all it needs, so GitHub is not called."""
    return partial(_sync_issue, event)


def _sync_issue(event: GithubEvent) -> str:
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
    changed = issue_sync.sync_issue(repository=event.repository, issue=issue)
    if not changed:
        return "nothing new"
    return "1 report updated" if changed == 1 else f"{changed} reports updated"


def _parse(payload: dict[str, Any], *, event: str, delivery_id: str) -> GithubEvent:
    """Read what we need of a webhook; the words of the issue stay at GitHub."""
    if not delivery_id:
        raise InvalidGithubEvent
    row = GithubEvent(
        delivery_id=delivery_id[:64],
        event=event[:40],
        action=str(payload.get("action") or "")[:40],
        repository=str((payload.get("repository") or {}).get("full_name") or "")[:140],
    )
    if event == "issues" and row.action in _ACTIONS:
        issue = Issue.read(payload["issue"])
        row.issue_number, row.issue_state = issue.number, issue.state[:16]
        row.issue_labels, row.issue_updated_at = list(issue.labels), issue.updated_at
    else:
        row.state, row.outcome = GithubEvent.State.IGNORED, "nothing acts on this type"
    return row
