"""Two hundred reports, a worker killed again and again, and a GitHub that fails in every way."""

import random
import time
from typing import Any

import pytest

from accounts.models import ActivityEvent
from feedback import notifications
from feedback.github_queue import issue_text, queue
from feedback.models import QueueItem, Report
from imageskill.dev.standins.faults import Fault, Faults
from imageskill.dev.standins.github import GitHubStandIn
from tests.live import Live

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

REPORTS = 200
KILLS = 5
SLOW = 1.3  # seconds; longer than the client waits


class Moody(Faults):
    """About one request in seven goes wrong, in ways that take turns."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.hit: list[str] = []
        limit = {"Retry-After": "1"}
        self.ways = [
            ("403", Fault(status=403, body={"message": "Forbidden"})),
            ("403 limit", Fault(status=403, body={"message": "secondary"}, headers=limit)),
            ("422", Fault(status=422, body={"message": "Validation Failed"})),
            ("429", Fault(status=429, body={"message": "slow down"}, headers=limit)),
            ("502", Fault(status=502, body="<html>bad gateway</html>")),
            ("timeout", Fault(delay_s=SLOW)),
            ("cut before", Fault(cut="before")),
            ("cut after", Fault(cut="after")),
            ("cut within", Fault(cut="within")),
        ]

    def take(self, *, method: str, path: str) -> Fault | None:
        if self.random.random() > 0.15:
            return None
        name, fault = self.ways[len(self.hit) % len(self.ways)]
        self.hit.append(name)
        return fault


@pytest.fixture
def worker(github: GitHubStandIn, tmp_path: Any, settings: Any) -> Any:
    """A worker as a process of its own, killed at once when it is stopped."""
    live = Live(
        tmp_path,
        GITHUB_API_BASE_URL=settings.GITHUB_API_BASE_URL,
        GITHUB_TOKEN=settings.GITHUB_TOKEN,
        GITHUB_REPOSITORY=settings.GITHUB_REPOSITORY,
        GITHUB_QUEUE_MODE="live",
        GITHUB_RETRY_S="0",
        GITHUB_TIMEOUT_S="1",
        GITHUB_ISSUES_PER_DAY="1000",
    )
    live.worker.start()
    yield live
    live.stop()


class TestUnderFire:
    def test_every_report_has_exactly_one_issue_and_its_activity_agrees(
        self, github, worker, left, press, agent, stranger
    ):
        chance = random.Random(7)
        github.faults = Moody(7)
        for number in range(REPORTS):
            key = str(number - 2 if number % 3 == 2 else number)  # a third repeats its own earlier
            by = (agent, stranger)[number % 2]
            report = left(by=by, dedupe_key=key, title=f"report about {key}")
            if report.state == "new":
                press("queue", report)
        roots = Report.objects.filter(duplicate_of=None).count()
        assert REPORTS - roots == REPORTS // 3

        kills = 0
        give_up_at = time.monotonic() + 240
        while QueueItem.objects.filter(followed_at=None).exclude(state="deduped").exists():
            assert time.monotonic() < give_up_at, worker.logs()
            queue.sweep()
            time.sleep(chance.uniform(0.5, 2))
            if kills < KILLS and github.issues:
                worker.worker.stop()
                worker.worker.start()
                kills += 1

        bodies = [issue["body"].partition("\n")[0] for issue in github.issues]
        assert len(bodies) == len(set(bodies)) == roots
        numbers = {body: issue["number"] for body, issue in zip(bodies, github.issues, strict=True)}
        for report in Report.objects.select_related("duplicate_of"):
            [event] = ActivityEvent.objects.filter(
                subject_id=report.public_id, type="feedback.github_queue.processed"
            )
            told = event.details["github_queue"]
            root = notifications.root_report(report)
            assert told["issue_numbers"] == [numbers[issue_text.marker(root)]]
            assert told["state"] == ("promoted" if root == report else "deduped")
        assert kills == KILLS
        assert set(github.faults.hit) == {name for name, _ in github.faults.ways}
