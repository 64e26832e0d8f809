"""GitHub's side of a history: issues that people close and label, and days on which it fails."""

from datetime import timedelta

from feedback.github_queue import issue_sync, issue_text, queue
from feedback.models import GithubRepository, QueueItem
from feedback.states import QueueState
from imageskill.dev.demo.runtime.context import Context
from imageskill.dev.standins.faults import Fault
from imageskill.lib import clock

_HOUR_S = 3600
_REFUSED_FOR_HOURS = 14


def plan(context: Context) -> None:
    """Plan the sweep after midnight, the reading of issues, and what people do to them."""
    day = clock.next_utc_midnight(context.begin)
    while day < context.end:
        context.timeline.plan(day + timedelta(minutes=5), queue.sweep)
        context.timeline.plan(day + timedelta(hours=12), _tend, context)
        day += timedelta(days=1)
    for days, event in ((20, "ping"), (12, "star"), (5, "issue_comment")):
        at = context.end - timedelta(days=days)
        context.timeline.plan(at, context.vendors.tell, event, "created")
    context.timeline.plan(context.end - timedelta(minutes=45), _read)


def make_issue(context: Context, item: QueueItem) -> None:
    """Make a report's issue by hand, before a worker does."""
    github = context.vendors.github
    github.make(item.repository, "By hand: see the report", issue_text.marker(item.report))


def refuse(context: Context, item: QueueItem, until: QueueState) -> None:
    """Make GitHub refuse every issue for some hours, while a worker tries each hour."""
    github = context.vendors.github
    github.faults.add(Fault(path="/issues", method="POST", times=None, status=422))
    for hour in range(1, _REFUSED_FOR_HOURS):
        context.timeline.later(hour * _HOUR_S, queue.sweep)
    context.timeline.later(_REFUSED_FOR_HOURS * _HOUR_S, _mend, context, item.pk, until)


def _mend(context: Context, item_id: int, until: QueueState) -> None:
    context.vendors.github.faults.clear()
    assert QueueItem.objects.get(pk=item_id).state == until


def _tend(context: Context) -> None:
    """Label one of the open issues, and close another; GitHub tells of both."""
    github, random = context.vendors.github, context.random
    still_open = [issue["number"] for issue in github.issues if issue["state"] == "open"]
    if len(still_open) < 2 or random.random() < 0.5:
        return
    labeled, closed = random.sample(still_open, 2)
    github.change(labeled, labels=["agent-feedback", "confirmed"])
    context.vendors.tell_of_issue("labeled", labeled)
    github.change(closed, state="closed")
    context.vendors.tell_of_issue("closed", closed)


def _read() -> None:
    for name in GithubRepository.objects.values_list("name", flat=True):
        issue_sync.poll(repository=name)
