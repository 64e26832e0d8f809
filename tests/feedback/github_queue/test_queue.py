"""From a queued report to its one issue, whatever GitHub answers."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import ActivityEvent
from feedback import transitions
from feedback.github_queue import issue_text, queue
from feedback.models import GithubRepository, QueueItem, Report
from feedback.states import QueueState
from imageskill.dev.standins.faults import Fault
from imageskill.lib import clock, trace
from imageskill.lib.redis import locks
from tests.feedback.conftest import REPOSITORY

pytestmark = pytest.mark.django_db(transaction=True)


def work() -> None:
    """Work as the worker does, with all pauses over."""
    past = clock.now() - timedelta(seconds=1)
    GithubRepository.objects.update(paused_until=None)
    QueueItem.objects.filter(state="queued").update(next_attempt_at=past)
    queue.process(repository=REPOSITORY)


def later() -> None:
    """Let the time pass in which a lost call could still have its effect."""
    QueueItem.objects.exclude(create_began_at=None).update(
        create_began_at=clock.now() - timedelta(minutes=5)
    )


def told(report: Report) -> list[dict]:
    """Return what the agent was told of a report, oldest first."""
    events = ActivityEvent.objects.filter(
        subject_id=report.public_id, type="feedback.github_queue.processed"
    ).order_by("id")
    return [event.details["github_queue"] for event in events]


class TestPromote:
    def test_a_queued_report_becomes_one_issue_and_its_agent_knows(self, github, left, press):
        report = press("queue", left())
        work()
        work()
        [issue] = github.issues
        item = report.queue_item
        item.refresh_from_db()
        report.refresh_from_db()
        assert (item.state, report.state) == ("promoted", "mirrored")
        assert issue["body"].startswith(issue_text.marker(report))
        assert told(report) == [
            {
                "state": "promoted",
                "reason": None,
                "issue_urls": [issue["html_url"]],
                "issue_numbers": [issue["number"]],
                "mode": "live",
                "github_mutation": "created",
                "issue_state": "open",
                "issue_labels": ["agent-feedback"],
            }
        ]

    def test_the_agent_reads_it_through_activity(self, github, left, press, api, agent):
        report = press("queue", left())
        work()
        found = api.get(f"/v1/activity/{report.public_id}", token=agent.token).data["events"]
        assert found[0]["type"] == "feedback.github_queue.processed"
        assert found[0]["links"] == {"feedback_id": report.public_id}

    def test_each_report_s_event_has_a_trace_of_its_own(self, github, left, press, stranger):
        reports = [press("queue", left()), press("queue", left(by=stranger, title="Other"))]
        with trace.own() as task_trace:
            work()
            assert trace.current() == task_trace
        traces = [
            ActivityEvent.objects.get(
                subject_id=report.public_id, type="feedback.github_queue.processed"
            ).trace_id
            for report in reports
        ]
        assert len({task_trace, *traces}) == 3

    def test_a_dry_run_makes_nothing(self, github, left, press, settings):
        settings.GITHUB_QUEUE_MODE = "dry_run"
        report = press("queue", left())
        work()
        assert not github.issues
        assert told(report)[0]["state"] == "skipped"
        assert (told(report)[0]["reason"], told(report)[0]["mode"]) == ("dry_run", "dry_run")

    def test_a_skipped_one_can_be_queued_again_for_real(
        self, github, left, press, settings, triager
    ):
        settings.GITHUB_QUEUE_MODE = "dry_run"
        report = press("queue", left())
        work()
        settings.GITHUB_QUEUE_MODE = "live"
        queue.retry(item=report.queue_item, user=triager, reason="now for real")
        work()
        assert [one["state"] for one in told(report)] == ["skipped", "promoted"]
        assert len(github.issues) == 1

    def test_what_cannot_be_made_safe_is_blocked_and_never_sent(self, github, left, press):
        report = left()
        old = "my key: g h p _ a1B2c3D4e5F6g7H8i9J0K1L2"  # from before intake refused it
        Report.objects.filter(pk=report.pk).update(body=old)
        report = press("queue", report)
        work()
        item = QueueItem.objects.get()
        assert (item.state, item.reason) == ("blocked", "unsafe")
        assert "split or encoded" in item.problem
        assert told(report)[0]["state"] == "blocked"
        assert not github.requests

    def test_an_issue_that_is_there_already_is_found_not_made(self, github, left, press):
        report = left()
        press("queue", report)
        work()
        item = QueueItem.objects.get()
        # As after a restored backup: the issue exists, and we have forgotten it.
        Report.objects.filter(pk=report.pk).update(state="queued")
        QueueItem.objects.filter(pk=item.pk).update(
            state="queued", issue_number=None, processed_at=None
        )
        work()
        assert len(github.issues) == 1
        assert told(report)[-1]["state"] == "already_mirrored"
        assert told(report)[-1]["github_mutation"] == "none"

    def test_a_forged_marker_inside_a_report_takes_no_ones_place(self, github, left, press):
        victim = left(title="the victim's")
        forged = left(title="another thing altogether", body=issue_text.marker(victim))
        press("queue", forged)
        work()
        press("queue", victim)
        work()
        assert len(github.issues) == 2

    def test_without_a_repository_nothing_is_queued(self, left, press, settings):
        settings.GITHUB_REPOSITORY = ""
        with pytest.raises(transitions.ReportTransitionRefused, match="GITHUB_REPOSITORY"):
            press("queue", left())


class TestFailures:
    @pytest.mark.parametrize("status", [401, 403, 404, 422, 500, 502])
    def test_a_failed_answer_is_tried_again_and_makes_one_issue(self, github, left, press, status):
        press("queue", left())
        github.faults.add(Fault(method="POST", status=status, body={"message": "no"}))
        work()
        assert QueueItem.objects.get().state == "queued"
        later()
        work()
        assert len(github.issues) == 1

    @pytest.mark.parametrize("fault", [Fault(cut="after"), Fault(delay_s=1.2, cut="after")])
    def test_an_issue_whose_answer_was_lost_is_found_not_made_again(
        self, github, left, press, fault
    ):
        report = press("queue", left())
        fault.method = "POST"
        github.faults.add(fault)
        work()
        assert len(github.issues) <= 1
        work()  # too early to look
        assert QueueItem.objects.get().state == "queued"
        time.sleep(0.5)  # until even the late call has had its effect
        later()
        work()
        assert len(github.issues) == 1
        assert told(report)[-1]["state"] == "promoted"
        assert told(report)[-1]["reason"] == "found_afterwards"

    @pytest.mark.parametrize(
        ("status", "headers", "seconds"),
        [
            (429, {"Retry-After": "90"}, 90),
            (403, {"Retry-After": "61"}, 61),
            (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "{soon}"}, 120),
            (429, {}, 60),
        ],
    )
    def test_limits_let_the_whole_repository_rest(
        self, github, left, press, status, headers, seconds
    ):
        soon = int(clock.now().timestamp()) + 120
        headers = {name: value.replace("{soon}", str(soon)) for name, value in headers.items()}
        press("queue", left())
        github.faults.add(Fault(status=status, body={"message": "slow down"}, headers=headers))
        work()
        rest = GithubRepository.objects.get()
        assert rest.pause_reason == "rate_limited"
        assert abs((rest.paused_until - clock.now()).total_seconds() - seconds) < 5
        asked = len(github.requests)
        queue.process(repository=REPOSITORY)
        assert len(github.requests) == asked
        assert QueueItem.objects.get().attempts == 0

    def test_a_pause_leaves_what_the_reader_of_news_wrote_meanwhile(
        self, github, left, press, monkeypatch
    ):
        read_up_to, pause = clock.now(), queue._backoff

        def read_meanwhile(*args):
            GithubRepository.objects.update(read_up_to=read_up_to)
            return pause(*args)

        monkeypatch.setattr(queue, "_backoff", read_meanwhile)
        press("queue", left())
        github.faults.add(Fault(status=429, body={"message": "slow down"}))
        work()
        rest = GithubRepository.objects.get()
        assert (rest.read_up_to, rest.failures) == (read_up_to, 1)
        assert rest.pause_reason == "rate_limited"

    def test_after_many_refusals_it_is_failed_and_staff_can_try_again(
        self, github, left, press, triager
    ):
        report = press("queue", left())
        github.faults.add(Fault(method="POST", times=None, status=422, body={"message": "no"}))
        for _ in range(queue.MAX_ATTEMPTS):
            work()
        item = QueueItem.objects.get()
        assert (item.state, item.reason) == ("failed", "refused")
        github.faults.clear()
        queue.retry(item=item, user=triager, reason="settings are right now")
        work()
        assert [one["state"] for one in told(report)] == ["failed", "promoted"]

    def test_the_daily_limit_holds_until_midnight(self, github, left, press, settings):
        settings.GITHUB_ISSUES_PER_DAY = 1
        for title in ("one thing", "quite another matter"):
            press("queue", left(title=title, body=title))
        work()
        assert len(github.issues) == 1
        rest = GithubRepository.objects.get()
        assert rest.paused_until == clock.next_utc_midnight(clock.now())
        assert rest.pause_reason == "daily_limit"


class TestDuplicates:
    def test_repeats_share_the_issue_before_and_after(self, github, left, press):
        first, early = left(), left()
        press("queue", first)
        work()
        late = left()
        [issue] = github.issues
        for repeat in (early, late):
            assert told(repeat)[0]["state"] == "deduped"
            assert told(repeat)[0]["issue_numbers"] == [issue["number"]]

    def test_what_staff_merge_across_organizations_shows_nothing_of_the_other(
        self, github, left, press, stranger, api
    ):
        first = left()
        others = left(by=stranger, title="jobs wait ends too early", body="other words")
        press("duplicate", others, target=first.public_id)
        repeat = left(by=stranger, title="jobs wait ends too early", body="other words")
        assert repeat.duplicate_of == others
        press("queue", first)
        work()
        for report in (others, repeat):
            assert told(report)[0]["state"] == "deduped"
            assert told(report)[0]["issue_urls"] == []
            assert told(report)[0]["issue_numbers"] == []
        shown = api.get("/v1/activity", token=stranger.token).envelope
        assert first.public_id not in str(shown)
        assert github.issues[0]["html_url"] not in str(shown)


class TestTwoWorkers:
    def test_the_second_finds_the_repository_taken(self, github, left, press):
        press("queue", left())
        with locks.held(f"github:{REPOSITORY}") as is_mine:
            assert is_mine

            def run():
                queue.process(repository=REPOSITORY)
                connection.close()

            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        assert not github.requests
        assert QueueItem.objects.get().state == QueueState.QUEUED

    def test_one_that_was_withdrawn_meanwhile_is_not_sent(self, github, left, press, triager):
        report = press("queue", left())
        queue.withdraw(item=report.queue_item, user=triager, reason="not yet")
        work()
        assert not github.issues
        report.refresh_from_db()
        assert report.state == "accepted"
