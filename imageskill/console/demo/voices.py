"""What agents of a made-up history reported, in every state of triage."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.models import ActivityEvent
from feedback.models import QueueItem, Report
from imageskill.console.demo import trail
from imageskill.console.demo.dice import Dice
from imageskill.console.demo.people import Player

_STATES = {"new": 7, "watch": 4, "accepted": 4, "needs_info": 2, "declined": 3, "mirrored": 3}
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


def speak(dice: Dice, players: Sequence[Player], *, count: int, now: datetime) -> int:
    """Write reports, oldest first; gives how many."""
    moments = sorted(dice.between(now - timedelta(days=60), now, late=2) for _ in range(count))
    reports = [_report(dice, dice.choice(players), at) for at in moments]
    Report.objects.bulk_create(reports)
    first: dict[str, Report] = {}
    for report in reports:
        earlier = first.setdefault(report.dedupe_key, report)
        if earlier is not report and report.state in {"new", "declined"} and dice.random() < 0.4:
            report.state, report.duplicate_of = "duplicate", earlier
            earlier.repeats += 1
    Report.objects.bulk_update(reports, ["state", "duplicate_of", "repeats"])
    mirrored = [report for report in reports if report.state == "mirrored"]
    QueueItem.objects.bulk_create(
        _item(report, number) for number, report in enumerate(mirrored, 4000)
    )
    ActivityEvent.objects.bulk_create(_told(dice, report) for report in reports)
    return len(reports)


def _report(dice: Dice, player: Player, at: datetime) -> Report:
    number = dice.randrange(len(_SAID))
    kind, title, expected, actual = _SAID[number]
    return Report(
        public_id=dice.public_id("feedback"),
        organization_id=player.org,
        agent=player.agent,
        created_at=at,
        state=dice.one_of(_STATES),
        type=kind,
        title=title,
        body=f"{title.capitalize()}. Seen with {player.agent.runtime}.",
        command="image-skill create --json",
        expected=expected,
        actual=actual,
        surface=["cli"],
        severity=dice.one_of({"low": 4, "medium": 5, "high": 2, "critical": 0.4}),
        confidence=dice.choice(["low", "medium", "high"]),
        dedupe_key=f"demo-{number}",
        source="cli",
        trace_id=dice.trace(),
        quality_score=dice.randrange(35, 100),
        is_weak=dice.random() < 0.15,
    )


def _item(report: Report, number: int) -> QueueItem:
    done = report.created_at + timedelta(hours=20)
    repository = "image-skill/demo"  # no repository of anybody's
    return QueueItem(
        report=report,
        repository=repository,
        state=QueueItem.State.PROMOTED,
        mode=QueueItem.Mode.DRY_RUN,
        queued_at=report.created_at + timedelta(hours=19),
        processed_at=done,
        followed_at=done,
        issue_number=number + report.pk,
        issue_url=f"https://github.example/{repository}/issues/{number + report.pk}",
        issue_state="open",
        issue_updated_at=done,
    )


def _told(dice: Dice, report: Report) -> ActivityEvent:
    return trail.event(
        dice,
        type="feedback.created",
        org=report.organization_id,
        agent=report.agent,
        subject_id=report.public_id,
        operation="feedback",
        summary="Report accepted",
        status="accepted",
        links={"feedback_id": report.public_id},
        at=report.created_at,
        trace_id=report.trace_id,
    )
