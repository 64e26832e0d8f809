"""GitHub on loopback, reports of the cast, and signing staff in."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from feedback import intake, triage
from feedback.models import Report
from feedback.states import TRANSITIONS
from feedback.triage import TriageRequest
from imageskill.dev.standins.github import GitHubStandIn
from imageskill.dev.standins.server import serve
from tests.imageskill.console.conftest import signed_in

__all__ = ["signed_in"]

REPOSITORY = "image-skill/feedback"
SECRET = "github-webhook-secret"

FIELDS: dict[str, Any] = {
    "type": "user_feedback",
    "title": "Wait times out",
    "body": "jobs wait gave up although the job was done a second later",
    "command": "",
    "expected": "",
    "actual": "",
    "friction": "",
    "proof_needed": "",
    "strategic_reason": "",
    "surface": ["cli"],
    "evidence": [],
    "severity": "medium",
    "confidence": "medium",
    "next_state": "watch",
    "dedupe_key": "",
    "source": "",
    "trace_id": "",
}


@pytest.fixture
def github(settings: Any) -> Iterator[GitHubStandIn]:
    """GitHub's stand-in, and the settings that lead to it, in live mode."""
    stand_in = GitHubStandIn()
    with serve(stand_in) as base_url:
        settings.GITHUB_API_BASE_URL = base_url
        settings.GITHUB_TOKEN = "github_pat_for_tests"
        settings.GITHUB_REPOSITORY = REPOSITORY
        settings.GITHUB_WEBHOOK_SECRETS = [SECRET]
        settings.GITHUB_QUEUE_MODE = "live"
        settings.GITHUB_RETRY_S = 30
        settings.GITHUB_TIMEOUT_S = 1
        settings.GITHUB_ISSUES_PER_DAY = 1000
        yield stand_in


@pytest.fixture
def left(agent: Any) -> Callable[..., Report]:
    """Leave a report as the story's agent, or as another one."""

    def leave(by: Any = None, **fields: Any) -> Report:
        return intake.accept(agent=(by or agent).agent, fields=FIELDS | fields).report

    return leave


@pytest.fixture
def press(triager: Any) -> Callable[..., Report]:
    """Do a move of triage to a report, as somebody of triage."""

    def do(name: str, report: Report, *, reason: str = "because", target: str = "") -> Report:
        action_request = TriageRequest(TRANSITIONS[name], triager, reason, target)
        return triage.apply(report_id=report.pk, triage_request=action_request)

    return do
