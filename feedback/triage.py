"""Triage: the transitions that staff make, each applied once and recorded in the audit log.

Only staff merge reports of different organizations, and only staff see it: nothing that an agent
reads names another's report.
"""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.postgres.search import TrigramSimilarity
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from accounts import audit
from accounts.models import User
from feedback import notifications, transitions
from feedback.github_queue import queue
from feedback.models import Report
from feedback.states import ReportState, Transition
from feedback.transitions import ReportTransitionRefused

MIN_SIMILARITY = 0.3  # trigram similarity of titles from which a report is suggested
_MAX_SIMILAR = 5
_SEVERITIES = [severity.value for severity in Report.Severity]


@dataclass(frozen=True, slots=True)
class TriageRequest:
    """What staff request: a transition, the reason, and the report that it is a duplicate of."""

    move: Transition
    user: User
    reason: str = ""
    target_id: str = ""  # sig_…


def refusal_reason(report: Report, triage_request: TriageRequest) -> str:
    """Return why the request does not apply to the report now, or an empty string."""
    if reason := transitions.refusal_reason(report, triage_request.move):
        return reason
    if triage_request.move.needs_target:
        target = _find_target(triage_request.target_id)
        if target is None:
            return "There is no report with that ID."
        if notifications.root_report(target).pk == report.pk:
            return "A report can't be a duplicate of itself or of its own repeats."
    if triage_request.move.name == "queue" and not settings.GITHUB_REPOSITORY:
        return "GITHUB_REPOSITORY is not set. Ask an operator to set it."
    return ""


def apply(*, report_id: int, triage_request: TriageRequest) -> Report:
    """Apply the transition. Raises `ReportTransitionRefused`; then nothing has changed."""
    reason = triage_request.reason.strip()
    if triage_request.move.needs_reason and not reason:
        raise ReportTransitionRefused("Enter a reason.")
    with transaction.atomic():
        target = (
            _find_target(triage_request.target_id) if triage_request.move.needs_target else None
        )
        root = notifications.root_report(target) if target else None
        report = _lock_for_triage(report_id, root)
        before = report.state
        if refusal := refusal_reason(report, triage_request):
            raise ReportTransitionRefused(refusal)
        if triage_request.move.name == "queue":
            queue.enqueue_report(report, user=triage_request.user)
        elif root is not None:
            _merge(report, root, triage_request.move)
        else:
            _apply_transition(report, triage_request)
        audit.record(
            user=triage_request.user,
            action=f"feedback.{triage_request.move.name}",
            subject=report.public_id,
            reason=reason,
            before={"state": before},
            after={"state": report.state}
            | ({"duplicate_of": root.public_id} if root is not None else {}),
        )
    return report


def find_similar(report: Report) -> list[Report]:
    """Find likely duplicates: the same dedupe key, or a title like it on the same surface."""
    others = Report.objects.exclude(pk=report.pk).filter(duplicate_of=None)
    others = others.select_related("agent")
    same_key: list[Report] = []
    if report.dedupe_key:
        matches = others.filter(dedupe_key=report.dedupe_key).order_by("-id")
        same_key = list(matches[:_MAX_SIMILAR])
    if not report.title:
        return same_key
    like = (
        others.filter(title__trigram_similar=report.title, surface=report.surface)
        .exclude(pk__in=[match_.pk for match_ in same_key])
        .annotate(alike=Greatest(TrigramSimilarity("title", report.title), 0.0))
        .order_by("-alike", "-id")[:_MAX_SIMILAR]
    )
    return [*same_key, *like][:_MAX_SIMILAR]


def is_auto_queued(report: Report) -> bool:
    """Return whether the rules of the settings queue this report once staff accept it."""
    if report.is_weak or not settings.GITHUB_REPOSITORY:
        return False
    for rule in settings.GITHUB_AUTO_QUEUE:
        type_, _, severity = rule.partition(":")
        is_bad_enough = _SEVERITIES.index(report.severity) >= _SEVERITIES.index(severity)
        if type_ in {"*", report.type} and is_bad_enough:
            return True
    return False


def _lock_for_triage(report_id: int, root: Report | None) -> Report:
    try:
        return transitions.lock_reports(report_id, root.pk if root else report_id)[report_id]
    except KeyError:
        raise ReportTransitionRefused("The report no longer exists.") from None


def _find_target(public_id: str) -> Report | None:
    return Report.objects.filter(public_id=public_id.strip()).first() if public_id else None


def _merge(report: Report, root: Report, move: Transition) -> None:
    transitions.apply(report, move, duplicate_of=root)
    mine = Q(duplicate_of=report) | Q(duplicate_of__duplicate_of=report)
    family = list(Report.objects.filter(mine).values_list("pk", flat=True))
    # Reports that were merged into it move to the new root; its agent's own repeats stay with it.
    # So no report is ever more than two steps from its root.
    moves_too = ~Q(agent=report.agent_id) | Q(duplicates__isnull=False)
    Report.objects.filter(moves_too, duplicate_of=report).update(duplicate_of=root)
    Report.objects.filter(pk=root.pk).update(repeats=F("repeats") + 1 + report.repeats)
    for repeat in [report, *Report.objects.filter(pk__in=family)]:
        queue.share_issue(repeat)


def _apply_transition(report: Report, triage_request: TriageRequest) -> None:
    left = report.duplicate_of if triage_request.move.to == ReportState.NEW else None
    transitions.apply(report, triage_request.move)
    if left is not None:
        chain = Q(pk=left.pk) | Q(pk=left.duplicate_of_id)
        fewer = 1 + report.repeats
        Report.objects.filter(chain, repeats__gte=fewer).update(repeats=F("repeats") - fewer)
    if triage_request.move.name == "accept" and is_auto_queued(report):
        queue.enqueue_report(report, user=triage_request.user)
