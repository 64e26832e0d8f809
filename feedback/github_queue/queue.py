"""The queue of reports to GitHub: processed one at a time per repository, settled once.

Safe to kill and to run twice: before an issue is created, the repository is searched for the
marker that its body begins with; a call whose response was lost is given time to take effect
before that search. A crash leaves a queued row, which the sweep hands to a worker again.
"""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from accounts import audit
from accounts.models import User
from feedback import evidence, notifications, redaction, states, transitions
from feedback.github_queue import client, issue_text
from feedback.github_queue.client import GithubFailure, Issue
from feedback.models import GithubRepository, QueueItem, Report
from feedback.states import QueueMode, QueueState
from imageskill.lib import clock, trace
from imageskill.lib.queue import enqueue
from imageskill.lib.redis import locks

log = structlog.get_logger(__name__)

WORK_TASK = "feedback.work_queue"
MAX_ATTEMPTS = 10
_BATCH_SIZE = 100  # items of one task; another task continues
_LONGEST_PAUSE = timedelta(hours=1)
_CLOCK_SKEW = timedelta(minutes=10)
_DUPLICATE_BATCH_SIZE = 200


def enqueue_report(report: Report, *, user: User | None) -> QueueItem:
    """Queue a locked report, inside the caller's transaction. Raises `ReportTransitionRefused`."""
    if not settings.GITHUB_REPOSITORY:
        raise transitions.ReportTransitionRefused(
            "GITHUB_REPOSITORY is not set. An operator has to set it first."
        )
    transitions.apply(report, states.TRANSITIONS["queue"])
    now = clock.now()
    item, _ = QueueItem.objects.update_or_create(
        report=report,
        defaults={
            "repository": settings.GITHUB_REPOSITORY,
            "mode": settings.GITHUB_QUEUE_MODE,
            "state": QueueState.QUEUED,
            "reason": "",
            "problem": "",
            "queued_by": user,
            "next_attempt_at": now,
            "attempts": 0,
            "processed_at": None,
            "followed_at": None,
            **_NO_ISSUE,
        },
    )
    enqueue(WORK_TASK, repository=item.repository)
    return item


def preview(report: Report) -> issue_text.IssueText:
    """Return the text of the issue that would be created. Raises `redaction.UnsafeText`."""
    return issue_text.build(report, prompts=evidence.quotable_prompts(report))


def retry(*, item: QueueItem, user: User, reason: str) -> None:
    """Queue an item again that was skipped, blocked or failed. Raises `ReportTransitionRefused`."""
    with transaction.atomic():
        report = transitions.lock_report(item.report_id)
        before = QueueItem.objects.get(pk=item.pk).state
        if before not in states.RETRYABLE_STATES:
            raise transitions.ReportTransitionRefused(
                f"It is {before}; only skipped, blocked or failed reports can be retried."
            )
        enqueue_report(report, user=user)
        audit.record(
            user=user,
            action="feedback.queue_retried",
            subject=report.public_id,
            reason=reason,
            before={"queue": before},
            after={"queue": "queued"},
        )


def withdraw(*, item: QueueItem, user: User, reason: str) -> None:
    """Remove an item from the queue. Raises `ReportTransitionRefused`."""
    with transaction.atomic():
        report = transitions.lock_report(item.report_id)
        fresh = QueueItem.objects.select_for_update().get(pk=item.pk)
        if fresh.state != QueueState.QUEUED:
            raise transitions.ReportTransitionRefused(f"It is already {fresh.state}.")
        if fresh.create_began_at is not None:
            raise transitions.ReportTransitionRefused(
                "Its issue may be being created right now. Try again in a minute."
            )
        _settle_locked(report, fresh, QueueState.SKIPPED, reason="withdrawn")
        audit.record(
            user=user,
            action="feedback.queue_withdrawn",
            subject=report.public_id,
            reason=reason,
            before={"queue": "queued"},
            after={"queue": "skipped"},
        )


def sweep() -> None:
    """Queue what is due again: messages get lost, workers die, pauses end."""
    now = clock.now()
    due = QueueItem.objects.filter(state=QueueState.QUEUED, next_attempt_at__lte=now)
    unfollowed = QueueItem.objects.unfollowed()
    names = {*due.values_list("repository", flat=True).distinct()[:50]}
    names |= {*unfollowed.values_list("repository", flat=True).distinct()[:50]}
    paused = GithubRepository.objects.filter(paused_until__gt=now).values_list("name", flat=True)
    for name in names - set(paused):
        enqueue(WORK_TASK, repository=name)


def process(*, repository: str) -> None:
    """Process what is due at one repository, item by item; nothing if another worker does."""
    GithubRepository.objects.get_or_create(name=repository)
    with locks.held(f"github:{repository}") as is_mine:
        if not is_mine:
            return
        for item in QueueItem.objects.unfollowed().filter(repository=repository)[:_BATCH_SIZE]:
            _share_with_duplicates(item)
        for _ in range(_BATCH_SIZE):
            with trace.own():  # the next report may be another organization's
                is_processed = _process_next(repository)
            if not is_processed:
                return
    enqueue(WORK_TASK, repository=repository)


def share_issue(report: Report) -> None:
    """Link a duplicate to the issue of the report that it repeats, if that has one.

    Runs in the caller's transaction, which holds the lock of the report that it repeats.
    """
    leader = QueueItem.objects.filter(report=notifications.root_report(report)).first()
    if leader is None or leader.state not in {QueueState.PROMOTED, QueueState.ALREADY_MIRRORED}:
        return
    item, _ = QueueItem.objects.update_or_create(
        report=report,
        defaults={
            "repository": leader.repository,
            "mode": leader.mode,
            "state": QueueState.DEDUPED,
            "reason": "tracked_already",
            "queued_by": leader.queued_by,
            "processed_at": clock.now(),
            "issue_number": leader.issue_number,
            "issue_url": leader.issue_url,
            "issue_state": leader.issue_state,
            "issue_labels": leader.issue_labels,
            "issue_updated_at": leader.issue_updated_at,
        },
    )
    notifications.notify_outcome(item)


_NO_ISSUE: dict[str, Any] = {
    "issue_number": None,
    "issue_url": "",
    "issue_state": "",
    "issue_labels": [],
    "issue_updated_at": None,
}


def _process_next(repository: str) -> bool:
    """Process the next item; False when there is none, or the repository is paused."""
    now = clock.now()
    if GithubRepository.objects.filter(name=repository, paused_until__gt=now).exists():
        return False
    due_items = QueueItem.objects.due(repository=repository, now=now)
    item = due_items.select_related("report__duplicate_of").first()
    if item is None:
        return False
    try:
        text = preview(item.report)
    except redaction.UnsafeText as unsafe:
        _settle(item, QueueState.BLOCKED, reason="unsafe", problem=str(unsafe))
        return True
    try:
        _mirror(item, text)
    except GithubFailure as failure:
        _record_failure(item, failure)
    else:
        GithubRepository.objects.filter(name=repository, failures__gt=0).update(failures=0)
    return True


def _mirror(item: QueueItem, text: issue_text.IssueText) -> None:
    """Find the report's issue or create it."""
    if _is_create_pending(item):
        return
    if client.is_configured():
        since = item.queued_at - _CLOCK_SKEW
        marker = issue_text.marker(item.report)
        found = client.find_issue(repository=item.repository, marker=marker, since=since)
        if found is not None:
            _settle_found(item, found)
            return
    if item.mode == QueueMode.DRY_RUN:
        _settle(item, QueueState.SKIPPED, reason="dry_run")
        return
    if not client.is_configured():
        raise GithubFailure("credentials", is_ours=True)
    if _is_daily_limit_reached(item):
        return
    made = _create(item, text)
    if made is not None:
        _settle(item, QueueState.PROMOTED, issue=made, mutation="created")


def _create(item: QueueItem, text: issue_text.IssueText) -> Issue | None:
    """Create the issue; None where the item was withdrawn meanwhile."""
    queued = QueueItem.objects.filter(pk=item.pk, state=QueueState.QUEUED)
    # Committed before the call: after a crash, the next worker knows that an issue may exist.
    if not queued.update(create_began_at=clock.now()):
        return None
    try:
        return client.create_issue(
            repository=item.repository, title=text.title, body=text.body, labels=text.labels
        )
    except GithubFailure as failure:
        if failure.is_certain:
            queued.update(create_began_at=None)
        raise


def _is_create_pending(item: QueueItem) -> bool:
    """Postpone an item whose last call may still take effect; return whether it was postponed."""
    if item.create_began_at is None:
        return False
    over = item.create_began_at + timedelta(seconds=settings.GITHUB_TIMEOUT_S * 1.5)
    if over <= clock.now():
        return False
    QueueItem.objects.filter(pk=item.pk).update(next_attempt_at=over)
    return True


def _settle_found(item: QueueItem, found: Issue) -> None:
    if item.create_began_at is not None:  # created by us; the response was lost
        _settle(
            item, QueueState.PROMOTED, issue=found, mutation="created", reason="found_afterwards"
        )
    else:
        _settle(item, QueueState.ALREADY_MIRRORED, issue=found, reason="found_by_its_marker")


def _is_daily_limit_reached(item: QueueItem) -> bool:
    """Pause the repository until tomorrow once the day's issues are created."""
    now = clock.now()
    midnight = clock.next_utc_midnight(now)
    today = QueueItem.objects.promoted_since(
        repository=item.repository, since=midnight - timedelta(days=1)
    )
    if today.count() < settings.GITHUB_ISSUES_PER_DAY:
        return False
    GithubRepository.objects.filter(name=item.repository).update(
        paused_until=midnight, pause_reason="daily_limit"
    )
    return True


def _settle(
    item: QueueItem,
    state: QueueState,
    *,
    reason: str = "",
    problem: str = "",
    issue: Issue | None = None,
    mutation: str = "none",
) -> None:
    """Store an outcome and notify the agent, unless another worker has."""
    with transaction.atomic():
        report = transitions.lock_report(item.report_id)
        fresh = QueueItem.objects.select_for_update().get(pk=item.pk)
        if fresh.state != QueueState.QUEUED:
            return
        _settle_locked(
            report,
            fresh,
            state,
            reason=reason,
            problem=problem,
            issue=issue,
            mutation=mutation,
        )
    if fresh.has_issue:
        _share_with_duplicates(fresh)


def _settle_locked(
    report: Report,
    item: QueueItem,
    state: QueueState,
    *,
    reason: str,
    problem: str = "",
    issue: Issue | None = None,
    mutation: str = "none",
) -> None:
    item.report = report
    item.state, item.reason, item.problem = state, reason, problem[:300]
    item.processed_at = clock.now()
    item.create_began_at = None
    if issue is not None:
        item.issue_number, item.issue_url = issue.number, issue.url
        item.issue_state, item.issue_labels = issue.state, list(issue.labels)
        item.issue_updated_at = issue.updated_at
    item.save()
    transitions.apply(report, states.MIRROR if item.has_issue else states.UNQUEUE)
    notifications.notify_outcome(item, mutation=mutation)


def _record_failure(item: QueueItem, failure: GithubFailure) -> None:
    """Postpone the item after a failure, and pause the repository where all would fail."""
    now = clock.now()
    repository = GithubRepository.objects.get(name=item.repository)
    pause = _backoff(
        repository.failures if _affects_repository(failure) else item.attempts, failure
    )
    if _affects_repository(failure):
        # These columns alone: the poll may be writing the others at the same time.
        GithubRepository.objects.filter(pk=repository.pk).update(
            paused_until=now + pause, pause_reason=failure.kind, failures=F("failures") + 1
        )
    with transaction.atomic():
        fresh = QueueItem.objects.select_for_update().get(pk=item.pk)
        fresh.attempts += not failure.is_limit
        fresh.problem = f"GitHub: {failure}"
        fresh.next_attempt_at = now + pause
        fresh.save()
    # An issue that may exist is searched for until that is certain, however many attempts it takes.
    if fresh.attempts >= MAX_ATTEMPTS and fresh.create_began_at is None:
        _settle(item, QueueState.FAILED, reason=failure.kind, problem=fresh.problem)


def _affects_repository(failure: GithubFailure) -> bool:
    return failure.is_limit or failure.is_ours or failure.kind in {"unavailable", "unreachable"}


def _backoff(failures: int, failure: GithubFailure) -> timedelta:
    grown = timedelta(seconds=settings.GITHUB_RETRY_S * (1 << min(failures, 10)))
    requested = timedelta(seconds=failure.retry_after_s or 0)
    return max(min(grown, _LONGEST_PAUSE), requested)


def _share_with_duplicates(item: QueueItem) -> None:
    """Link every duplicate to the issue and notify its agent."""
    root = item.report_id
    repeats = Report.objects.filter(
        Q(duplicate_of=root) | Q(duplicate_of__duplicate_of=root),
        Q(queue_item=None) | ~Q(queue_item__state=QueueState.DEDUPED),
    ).order_by("id")
    while batch := list(repeats.values_list("pk", flat=True)[:_DUPLICATE_BATCH_SIZE]):
        for pk in batch:
            with trace.own(), transaction.atomic():
                # Locks the root's row too, as intake does, so that only one of them notifies.
                report = transitions.lock_reports(root, pk)[pk]
                own = QueueItem.objects.filter(report=report).first()
                if own is None or not own.has_issue:
                    share_issue(report)
    QueueItem.objects.filter(pk=item.pk).update(followed_at=clock.now())
