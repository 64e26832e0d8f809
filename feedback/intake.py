"""Intake of reports: each accepted call gets its own id and event, or nothing is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.contrib.postgres.search import TrigramSimilarity
from django.db import DatabaseError, transaction
from django.db.models import F, FloatField, Q, Value
from django.db.models.functions import Cast, Greatest, Left

from accounts import activity
from accounts.models import ActivityEvent, Agent
from feedback import redaction, scoring, transitions
from feedback.github_queue import queue
from feedback.models import Report
from feedback.redaction import RedactedText
from imageskill.lib.errors import ApiError

log = structlog.get_logger(__name__)

_TEXTS = (
    "title",
    "body",
    "command",
    "expected",
    "actual",
    "friction",
    "proof_needed",
    "strategic_reason",
)
# Compared rather than read: these stand in their place if they are unsafe.
_KEYS = {
    "dedupe_key": "",
    "source": "",
    "trace_id": "",
    "type": "user_feedback",
    "next_state": "watch",
}
MIN_SIMILARITY = 0.6  # trigram similarity, 0 to 1, that makes a report a repeat
# Bounds of the cost of a comparison: the agent's latest reports, and the beginning of their texts.
_MAX_COMPARED = 100
_COMPARED_CHARACTERS = 500


class FeedbackStorageUnavailable(ApiError):
    """The report could not be stored; it has to be sent again."""

    code = "FEEDBACK_STORAGE_UNAVAILABLE"
    status = 503
    exit_code = 9
    retryable = True
    message = "The report could not be stored. Keep it and send it again in a moment."


@dataclass(frozen=True, slots=True)
class AcceptedReport:
    """A stored report, its event and its score."""

    report: Report
    event: ActivityEvent
    quality: scoring.ReportQuality
    had_secrets: bool


def accept(*, agent: Agent, fields: Mapping[str, Any]) -> AcceptedReport:
    """Store a report with its event, or raise `FeedbackStorageUnavailable` with nothing stored.

    `fields` are those of `Report`. They are redacted before they are stored, as strictly as
    before they are published. A repeat of the agent's own earlier report is counted on that one.
    """
    cleaned, had_secrets = _redact_fields(fields)
    quality = scoring.score(cleaned)
    try:
        with transaction.atomic():
            report = _store(agent, cleaned, quality)
            event = _record_event(report)
            if report.duplicate_of:
                queue.share_issue(report)
    except DatabaseError as error:
        log.warning("feedback_not_stored", error=type(error).__name__)
        raise FeedbackStorageUnavailable(recovery={"retry_after_seconds": 5}) from error
    return AcceptedReport(report=report, event=event, quality=quality, had_secrets=had_secrets)


def _redact_fields(fields: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the fields as they may be stored, and whether anything was removed."""
    done = {name: redaction.redact_at_intake(fields.get(name) or "") for name in (*_TEXTS, *_KEYS)}
    lists = {
        name: [redaction.redact_at_intake(item) for item in fields.get(name, ())]
        for name in ("evidence", "surface")
    }
    cleaned = {**fields} | {name: done[name].text for name in _TEXTS}
    for name, default in _KEYS.items():
        cleaned[name] = default if _is_changed(done[name]) else fields.get(name) or default
    cleaned["evidence"] = [one.text for one in lists["evidence"]]
    cleaned["surface"] = [one.text for one in lists["surface"] if not _is_changed(one)]
    is_changed = any(map(_is_changed, (*done.values(), *lists["evidence"], *lists["surface"])))
    return cleaned, is_changed


def _is_changed(done: RedactedText) -> bool:
    return done.removed.total() > 0


def _store(agent: Agent, fields: Mapping[str, Any], quality: scoring.ReportQuality) -> Report:
    # Locks the agent's row, so that two repeats sent at once see each other.
    Agent.objects.select_for_update(no_key=True).only("pk").get(pk=agent.pk)
    first = _find_earlier(agent, fields)
    if first:
        # Locked, so that either we or a worker that is creating their issue notify, not both.
        counted = transitions.lock_reports(first.pk, first.duplicate_of_id or first.pk)
        Report.objects.filter(pk__in=counted).update(repeats=F("repeats") + 1)
    return Report.objects.create(
        organization_id=agent.organization_id,
        agent=agent,
        quality_score=quality.score,
        is_weak=quality.is_weak,
        duplicate_of=first,
        state=Report.State.DUPLICATE if first else Report.State.NEW,
        **fields,
    )


def _find_earlier(agent: Agent, fields: Mapping[str, Any]) -> Report | None:
    """Find the agent's own first report of the same thing."""
    # Its own first ones; staff may have merged one of them into somebody else's since.
    is_first = Q(duplicate_of=None) | ~Q(duplicate_of__agent=agent)
    own = Report.objects.filter(is_first, agent=agent)
    if fields["dedupe_key"]:
        return own.filter(dedupe_key=fields["dedupe_key"]).order_by("id").first()
    latest = own.order_by("-id").values("pk")[:_MAX_COMPARED]
    zero = Cast(Value(0.0), FloatField())
    return (
        own.filter(pk__in=latest, surface=fields["surface"], dedupe_key="")
        .annotate(
            title_similarity=_similarity("title", fields["title"]),
            body_similarity=_similarity("body", fields["body"]),
        )
        .annotate(
            similarity=(F("title_similarity") + F("body_similarity")) / 2.0
            if fields["title"] and fields["body"]
            else Greatest("title_similarity", "body_similarity", zero)
        )
        .filter(similarity__gte=MIN_SIMILARITY)
        .order_by("-similarity", "id")
        .first()
    )


def _similarity(column: str, text: str) -> TrigramSimilarity:
    return TrigramSimilarity(Left(column, _COMPARED_CHARACTERS), text[:_COMPARED_CHARACTERS])


def _record_event(report: Report) -> ActivityEvent:
    event = activity.event(
        type="feedback.created",
        organization_id=report.organization_id,
        agent_id=report.agent_id,
        subject_id=report.public_id,
        operation="feedback",
        summary="Feedback accepted",
        status=report.state,
        links={"feedback_id": report.public_id},
        details={"type": report.type, "severity": report.severity},
    )
    activity.record(event)
    return event
