"""What agents of a made-up history reported, in every state of triage."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from accounts.models import ActivityEvent
from feedback.models import Report
from imageskill.dev.demo import trail
from imageskill.dev.demo.dice import Dice
from imageskill.dev.demo.people import Player
from imageskill.dev.demo.stage import Stage
from jobs.models import Job

_STATES = {
    "mirrored": 3,
    "new": 7,
    "watch": 4,
    "accepted": 5,
    "needs_info": 2,
    "declined": 3,
    "queued": 1,
}
# state -> the move that led there, and what staff said
_DECIDED = {
    "watch": ("watch", "one voice so far; let us see whether it comes again"),
    "accepted": ("accept", ""),
    "needs_info": ("needs_info", ""),
    "declined": ("decline", "works as described in llms.txt"),
    "duplicate": ("duplicate", "the same thing, reported before"),
    "queued": ("queue", ""),
    "mirrored": ("queue", ""),
}
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


def speak(
    stage: Stage, players: Sequence[Player], jobs: Mapping[int, Job], *, count: int
) -> list[Report]:
    """Write reports, oldest first, about the job that each agent had last; gives them."""
    dice, now = stage.dice, stage.now
    moments = sorted(dice.between(now - timedelta(days=60), now, late=2) for _ in range(count))
    reports = [_report(dice, dice.choice(players), jobs, at) for at in moments]
    for report, state in zip(reports, _STATES, strict=False):
        report.state = state  # each at least once
    Report.objects.bulk_create(reports)
    first: dict[str, Report] = {}
    for report in reports:
        earlier = first.setdefault(report.dedupe_key, report)
        often = 1.0 if earlier.state == "mirrored" else 0.4
        if earlier is not report and report.state == "new" and dice.random() < often:
            report.state, report.duplicate_of = "duplicate", earlier
            earlier.repeats += 1
    Report.objects.bulk_update(reports, ["state", "duplicate_of", "repeats"])
    ActivityEvent.objects.bulk_create(_told(dice, report) for report in reports)
    for report in reports:
        _note(stage, report)
    return reports


def _note(stage: Stage, report: Report) -> None:
    action, reason = _DECIDED.get(report.state, ("", ""))
    if action:
        stage.diary.note(
            stage.staff["triage"],
            f"feedback.{action}",
            report.public_id,
            min(stage.dice.after(report.created_at, 3600, 18 * 3600), stage.now),
            reason=reason,
            before={"state": "new"},
            after={"state": report.state},
        )


def _report(dice: Dice, player: Player, jobs: Mapping[int, Job], at: datetime) -> Report:
    job = jobs.get(player.agent.pk)
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
        trace_id=job.trace_id if job else "",
        evidence=[f"job:{job.public_id}"] if job else [],
        quality_score=dice.randrange(35, 100),
        is_weak=dice.random() < 0.15,
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
