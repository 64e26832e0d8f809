"""The queue to GitHub of a made-up history, in every state, and what GitHub told of its issues."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

from feedback.models import GithubEvent, GithubRepository, QueueItem, Report
from feedback.states import STATES_WITH_ISSUE, QueueMode, QueueState
from imageskill.dev.demo.dice import Dice
from imageskill.dev.demo.stage import Stage
from imageskill.lib import clock

_REPOSITORY = "image-skill/demo"  # no repository of anybody's
_FAR = timedelta(days=30)  # no worker takes up what stands here to be looked at
_LABELS = ["agent-feedback"]
_UNSAFE_WORDS = "\nThe header read “wh sec_ Demo Demo Demo Demo”."  # nobody's secret
# How the reports end that had an issue, and those that never got one: state, reason, problem.
_MIRRORED = (
    (QueueState.PROMOTED, "", ""),
    (QueueState.PROMOTED, "", ""),
    (QueueState.ALREADY_MIRRORED, "found_by_its_marker", ""),
    (QueueState.PROMOTED, "found_afterwards", ""),
)
_ACCEPTED = (
    (QueueState.BLOCKED, "unsafe", "It seems to hold a secret that is split or encoded."),
    (QueueState.FAILED, "unavailable", "GitHub: unavailable (502)"),
    (QueueState.SKIPPED, "dry_run", ""),
    (QueueState.SKIPPED, "withdrawn", ""),
)


def hang(stage: Stage, reports: Sequence[Report]) -> None:
    """Write the queue and GitHub's news for reports that are written already."""
    now = stage.now
    items = list(_items(reports, now))
    events = sorted(_events(stage.dice, items, now), key=_received)
    QueueItem.objects.bulk_create(items)
    GithubEvent.objects.bulk_create(events)
    GithubRepository.objects.update_or_create(
        name=_REPOSITORY,
        defaults={
            "read_up_to": now - timedelta(minutes=7),
            "paused_until": clock.next_utc_midnight(now),
            "pause_reason": "daily_limit",
        },
    )
    for item in items:
        if item.state == QueueState.BLOCKED:
            item.report.body += _UNSAFE_WORDS
            item.report.save(update_fields=["body"])
        if item.reason == "withdrawn" and item.processed_at:
            about, reason = item.report.public_id, "it is fixed in the release of tomorrow"
            action, at = "feedback.queue_withdrawn", item.processed_at
            stage.diary.note(item.queued_by, action, about, at, reason=reason)


def _items(reports: Sequence[Report], now: datetime) -> Iterator[QueueItem]:
    of_issue: dict[int, QueueItem] = {}
    mirrored, accepted = cycle(_MIRRORED), cycle(_ACCEPTED)
    given_up = [report for report in reports if report.state == "accepted"][::2]
    for report in reports:
        if report.state == "mirrored":
            of_issue[report.pk] = item = _item(report, next(mirrored), now)
            yield item
        elif report.state == "queued":
            yield _item(report, (QueueState.QUEUED, "", ""), now)
        elif report in given_up:
            yield _item(report, next(accepted), now)
        elif report.duplicate_of_id in of_issue:
            yield _joined(report, of_issue[report.duplicate_of_id])


def _item(report: Report, how: tuple[QueueState, str, str], now: datetime) -> QueueItem:
    state, reason, problem = how
    queued = report.created_at + (now - report.created_at) * 0.4
    done = None if state == QueueState.QUEUED else queued + (now - queued) * 0.05
    item = QueueItem(
        report=report,
        repository=_REPOSITORY,
        state=state,
        reason=reason,
        problem=problem,
        mode=QueueMode.DRY_RUN if reason == "dry_run" else QueueMode.LIVE,
        queued_at=queued,
        next_attempt_at=now + _FAR,
        attempts=10 if state == QueueState.FAILED else 0,
        processed_at=done,
    )
    if state in STATES_WITH_ISSUE and done:
        _give_issue(item, done)
    return item


def _give_issue(item: QueueItem, done: datetime) -> None:
    item.followed_at = item.issue_updated_at = done
    item.issue_number = 4000 + item.report.pk
    item.issue_url = f"https://github.example/{_REPOSITORY}/issues/{item.issue_number}"
    item.issue_state, item.issue_labels = "open", list(_LABELS)


def _joined(report: Report, leader: QueueItem) -> QueueItem:
    """Let the issue of the report that this one repeats speak for it."""
    assert leader.processed_at is not None
    return QueueItem(
        report=report,
        repository=leader.repository,
        state=QueueState.DEDUPED,
        reason="tracked_already",
        mode=leader.mode,
        queued_at=max(report.created_at, leader.processed_at),
        processed_at=max(report.created_at, leader.processed_at),
        issue_number=leader.issue_number,
        issue_url=leader.issue_url,
        issue_state=leader.issue_state,
        issue_labels=leader.issue_labels,
        issue_updated_at=leader.issue_updated_at,
    )


def _events(dice: Dice, items: Sequence[QueueItem], now: datetime) -> Iterator[GithubEvent]:
    """Tell of every second issue that it was labeled, of every fourth that it was closed."""
    led = [item for item in items if item.followed_at]
    for number, item in enumerate(led):
        assert item.processed_at is not None
        opened = dice.between(item.processed_at, now)
        yield _event(dice, item, "opened", opened, is_used=False)
        if number % 2 == 0:
            item.issue_labels = [*_LABELS, "confirmed"]
            yield _event(dice, item, "labeled", dice.between(opened, now))
        if number % 4 == 0:
            item.issue_state = "closed"
            yield _event(dice, item, "closed", dice.between(opened, now))
    for event in ("ping", "issue_comment", "star"):
        yield GithubEvent(
            delivery_id=dice.text(36),
            event=event,
            action="" if event == "ping" else "created",
            repository=_REPOSITORY,
            state=GithubEvent.State.IGNORED,
            outcome="nothing that concerns reports",
            received_at=dice.between(now - timedelta(days=20), now),
        )


def _event(
    dice: Dice, item: QueueItem, action: str, at: datetime, *, is_used: bool = True
) -> GithubEvent:
    said: dict[str, Any] = {}
    if is_used:
        said = {
            "issue_number": item.issue_number,
            "issue_state": item.issue_state,
            "issue_labels": item.issue_labels,
            "issue_updated_at": at,
        }
    return GithubEvent(
        delivery_id=dice.text(36),
        event="issues",
        action=action,
        repository=item.repository,
        state=GithubEvent.State.HANDLED if is_used else GithubEvent.State.IGNORED,
        outcome="told 1 reports" if is_used else "nothing that concerns reports",
        received_at=at,
        **said,
    )


def _received(event: GithubEvent) -> datetime:
    return event.received_at
