"""What agents of a history report, and what triage makes of it; some goes on to GitHub."""

from datetime import timedelta
from typing import Any

from accounts.tokens import minting
from feedback import intake, triage
from feedback.github_queue import queue
from feedback.models import QueueItem, Report
from feedback.states import TRANSITIONS, QueueState, ReportState
from feedback.triage import TriageRequest
from imageskill.dev.demo import github_queue
from imageskill.dev.demo.runtime.context import Context
from jobs.models import Job

_SAID = (
    ("bug", "create answers 202 although --wait was given", "waited for the image", "got a job id"),
    ("bug", "edit loses the alpha channel of a PNG", "transparency kept", "a black background"),
    ("friction", "quote expires while a human reads the mail", "an hour to pay", "30 minutes"),
    ("friction", "no way to see which model is cheapest for 16:9", "a sorted list", "guesswork"),
    ("feature_request", "let several references share one role", "a list", "one asset"),
    ("feature_request", "tell the remaining daily jobs in whoami", "a number", "nothing"),
    ("quality", "hands come out wrong on portraits", "five fingers", "six fingers"),
    ("praise", "the recovery commands are right every time", "", ""),
    ("docs", "explain what owed credits mean", "a sentence in llms.txt", "had to ask"),
    ("bug", "Retry-After is missing on provider failures", "a header", "no header"),
)
_SEVERITIES = {"low": 4, "medium": 5, "high": 2, "critical": 0.4}
# What triage does with a report that nobody has made before, and how often; "" leaves it.
_MOVES = {"queue": 5, "": 5, "watch": 4, "accept": 4, "needs_info": 2, "decline": 3}
_REASONS = {
    "watch": "one report so far; let us see whether it comes again",
    "decline": "works as described in llms.txt",
    "duplicate": "the same thing, reported before",
}
_UNSAFE = "\nThe header read “wh sec_ Demo Demo Demo Demo”."  # nobody's secret
_HOUR_S = 3600


def plan(context: Context, count: int) -> None:
    """Plan reports, each state of triage and each outcome at GitHub once at least."""
    random, end, plan = context.random, context.end, context.timeline.plan
    for _ in range(count):
        at = random.between(end - timedelta(days=60), end - timedelta(minutes=40), late=2)
        plan(at, _report, context)
    moves = (*(move for move in _MOVES if move), "queue", "queue")
    for number, move in enumerate(moves):
        at = random.between(end - timedelta(days=40), end - timedelta(days=20))
        plan(at + timedelta(minutes=number), _report, context, move)
    plan(end - timedelta(days=18), _block, context)
    plan(end - timedelta(days=16), _withdraw, context)
    plan(end - timedelta(days=14), _find_by_hand, context)
    plan(end - timedelta(days=12), _fail, context)
    for minutes in range(8, 20):  # more than a day's issues: the last ones wait until midnight
        plan(end - timedelta(minutes=minutes), _report, context, "queue")
    for hours in (1, 2, 3, 4):
        plan(end - timedelta(hours=hours), _report, context, "")


def _report(context: Context, move: str | None = None) -> None:
    report = _accept(context)
    if move is None:
        move = context.random.weighted(_MOVES)
    if report.state == ReportState.NEW and move:
        is_urgent = report.created_at > context.end - timedelta(days=1)
        after_s = 60 if is_urgent else context.random.uniform(1, 18) * _HOUR_S
        context.timeline.later(after_s, _triage, context, report.pk, move)


def _accept(context: Context, **fields: Any) -> Report:
    """Report something about an agent's latest job."""
    random = context.random
    while True:
        customer = random.choice(context.customers)
        try:
            agent = customer.agent()
            break
        except minting.AuthRequired:
            continue
    job = Job.objects.filter(agent=agent).exclude(model_id="").order_by("-id").first()
    kind, title, expected, actual = random.choice(_SAID)
    said: dict[str, Any] = {
        "type": kind,
        "title": title,
        "body": f"{title.capitalize()}. Seen with {agent.runtime}.",
        "command": "image-skill create --json",
        "expected": expected,
        "actual": actual,
        "surface": ["cli"],
        "severity": random.weighted(_SEVERITIES),
        "confidence": random.choice(["low", "medium", "high"]),
        "dedupe_key": title.replace(" ", "-"),
        "source": "cli",
        "trace_id": job.trace_id if job else "",
        "evidence": [f"job:{job.public_id}"] if job else [],
    }
    return intake.accept(agent=agent, fields=said | fields).report


def _triage(context: Context, report_id: int, name: str) -> None:
    """Do the move; what another agent reported before is a duplicate of that."""
    report = Report.objects.get(pk=report_id)
    first = Report.objects.filter(dedupe_key=report.dedupe_key, pk__lt=report.pk)
    earlier = first.filter(state__in=("accepted", "mirrored", "watch")).first()
    if name == "queue" and earlier is not None and report.created_at < context.end - timedelta(1):
        name = "duplicate"
    if report.state in TRANSITIONS[name].sources:
        target = earlier.public_id if name == "duplicate" and earlier else ""
        triage.apply(report_id=report_id, triage_request=_asked(context, name, target=target))


def _asked(context: Context, name: str, *, target: str = "") -> TriageRequest:
    user, reason = context.staff["triage"], _REASONS.get(name, "")
    return TriageRequest(move=TRANSITIONS[name], user=user, reason=reason, target_id=target)


def _queued(context: Context, **fields: Any) -> QueueItem:
    """Queue a report that no other one is like."""
    report = _accept(context, dedupe_key=f"only-{context.timeline.now:%j}", **fields)
    triage.apply(report_id=report.pk, triage_request=_asked(context, "queue"))
    return QueueItem.objects.get(report=report)


def _block(context: Context) -> None:
    _queued(context, body=f"Seen in the log of our proxy.{_UNSAFE}")


def _withdraw(context: Context) -> None:
    """Remove a report from the queue before a worker comes to it."""
    item = _queued(context)
    reason = "it is fixed in the release of tomorrow"
    queue.withdraw(item=item, user=context.staff["triage"], reason=reason)


def _find_by_hand(context: Context) -> None:
    """Queue a report whose issue somebody has made by hand."""
    item = _queued(context)
    github_queue.make_issue(context, item)


def _fail(context: Context) -> None:
    """Queue a report that GitHub refuses until it is tried no more."""
    item = _queued(context)
    github_queue.refuse(context, item, QueueState.FAILED)
