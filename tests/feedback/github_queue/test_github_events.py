"""What happens at GitHub comes back: signed webhooks, and a poll for those that got lost."""

import json
from datetime import timedelta

import pytest
from celery import current_app
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import AuditLine
from feedback import tasks
from feedback.github_queue import github_events, issue_sync, queue
from feedback.models import GithubEvent, QueueItem
from imageskill.dev.standins.github import sign_event
from imageskill.lib import clock, inbox
from tests.billing.shop import at_once
from tests.feedback.conftest import REPOSITORY, SECRET
from tests.feedback.github_queue.test_queue import told
from tests.imageskill.console.doing import do

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mirrored(github, left, press):
    """A report whose issue is made."""
    report = press("queue", left())
    queue.process(repository=REPOSITORY)
    return report


def post(event, *, secret=SECRET, **headers):
    body, signature = sign_event(event, secret=secret)
    return Client().post(
        "/webhooks/github",
        data=body,
        content_type="application/json",
        headers=signature | headers,
    )


def event(github, action, **changes):
    issue = github.issues[0] | {"repository": None}
    return {
        "action": action,
        "issue": issue | changes,
        "repository": {"full_name": REPOSITORY},
    }


@pytest.fixture
def deliver(drain):
    """Post an event and let a worker handle it."""

    def run(event):
        answer = post(event)
        assert answer.status_code == 200
        drain()
        return answer

    return run


class TestWebhook:
    def test_it_stores_and_answers_and_a_worker_does_the_rest(self, github, mirrored, drain):
        drain()
        answer = post(event(github, "closed", state="closed"))
        assert (answer.status_code, answer.json()) == (200, {"received": True, "new": True})
        assert GithubEvent.objects.get().state == "received"
        assert len(told(mirrored)) == 1
        assert drain() == ["feedback.handle_github_event"]
        assert GithubEvent.objects.get().state == "handled"
        assert len(told(mirrored)) == 2

    def test_closing_shows_on_the_item_and_to_the_agent(self, github, mirrored, deliver):
        deliver(event(github, "closed", state="closed"))
        assert QueueItem.objects.get().issue_state == "closed"
        last = told(mirrored)[-1]
        assert (last["state"], last["reason"]) == ("promoted", "issue_closed")
        assert (last["issue_state"], last["github_mutation"]) == ("closed", "none")

    def test_labels_and_reopening_too(self, github, mirrored, deliver):
        deliver(event(github, "closed", state="closed"))
        deliver(event(github, "reopened"))
        deliver(event(github, "labeled", labels=[{"name": "planned"}]))
        assert [one["reason"] for one in told(mirrored)[1:]] == [
            "issue_closed",
            "issue_reopened",
            "issue_labelled",
        ]
        assert told(mirrored)[-1]["issue_labels"] == ["planned"]

    def test_an_event_that_comes_twice_is_handled_once(self, github, mirrored, drain):
        body, headers = sign_event(event(github, "closed", state="closed"), secret=SECRET)
        for is_new in (True, False):
            answer = Client().post(
                "/webhooks/github", data=body, content_type="application/json", headers=headers
            )
            assert answer.json()["new"] is is_new
            drain()
        assert len(told(mirrored)) == 2
        assert GithubEvent.objects.get().deliveries == 2

    def test_what_is_older_than_what_is_known_is_dropped(self, github, mirrored, deliver):
        deliver(event(github, "closed", state="closed", updated_at="2020-01-01T00:00:00Z"))
        assert QueueItem.objects.get().issue_state == "open"

    @pytest.mark.parametrize("signature", ["", "sha256=00", "sha1=é", None])
    def test_without_our_signature_nothing_is_taken(self, github, mirrored, signature):
        changed = event(github, "closed", state="closed")
        if signature is None:
            answer = post(changed, secret="somebody else's")
        else:
            answer = Client().post(
                "/webhooks/github",
                data=json.dumps(changed).encode(),
                content_type="application/json",
                HTTP_X_HUB_SIGNATURE_256=signature,
                HTTP_X_GITHUB_EVENT="issues",
                HTTP_X_GITHUB_DELIVERY="d",
            )
        assert answer.status_code == 400
        assert not GithubEvent.objects.exists()

    def test_without_a_secret_nothing_is_taken(self, github, mirrored, settings):
        settings.GITHUB_WEBHOOK_SECRETS = []
        assert post(event(github, "closed", state="closed"), secret="").status_code == 400

    def test_what_is_no_event_is_refused_and_what_does_not_concern_us_is_ignored(self, github):
        assert post({"action": "closed"}).status_code == 400
        assert post({"zen": "x"}, **{"X-GitHub-Event": "ping"}).status_code == 200
        assert GithubEvent.objects.get().state == "ignored"


class TestFailure:
    @pytest.fixture
    def failed(self, github, mirrored, monkeypatch, deliver):
        """An event that could not be told to the agent."""
        with monkeypatch.context() as broken:
            broken.setattr(issue_sync.notifications, "notify_outcome", _raise)
            deliver(event(github, "closed", state="closed"))
        return GithubEvent.objects.get()

    def test_what_fails_is_kept_with_its_traceback_and_has_changed_nothing(self, failed, mirrored):
        assert (failed.state, failed.outcome, failed.attempts) == ("failed", "", 1)
        assert failed.error.startswith("Traceback")
        assert "ZeroDivisionError" in failed.error
        assert failed.issue_number is not None
        assert QueueItem.objects.get().issue_state == "open"
        assert len(told(mirrored)) == 1

    def test_it_is_retried_when_it_is_due(self, failed, mirrored, drain):
        tasks.sweep_github_events()
        assert drain() == []
        with clock.at(clock.now() + timedelta(minutes=2)):
            tasks.sweep_github_events()
            assert drain() == ["feedback.handle_github_event"]
        failed.refresh_from_db()
        assert (failed.state, failed.outcome, failed.error) == ("handled", "1 report updated", "")
        assert told(mirrored)[-1]["reason"] == "issue_closed"

    def test_one_that_always_fails_is_given_up_and_shown(
        self, failed, mirrored, monkeypatch, signed_in, triager
    ):
        monkeypatch.setattr(issue_sync.notifications, "notify_outcome", _raise)
        for _ in range(inbox.MAX_ATTEMPTS):
            github_events.handle(delivery_id=failed.delivery_id)
        failed.refresh_from_db()
        assert (failed.state, failed.next_attempt_at) == ("failed", None)
        with clock.at(clock.now() + timedelta(days=30)):
            assert github_events.requeue_due() == 0
        url = reverse("admin:feedback_githubevent_change", args=[failed.pk])
        assert "ZeroDivisionError" in signed_in(triager).get(url).content.decode()

    def test_a_dry_run_says_what_would_come_and_changes_nothing(self, failed, mirrored):
        assert github_events.preview(event=failed) == "1 report updated"
        assert QueueItem.objects.get().issue_state == "open"
        assert len(told(mirrored)) == 1

    def test_replaying_tells_it_once_and_leaves_a_line(self, failed, mirrored, triager):
        for outcome in ("1 report updated", "nothing new"):
            assert github_events.replay(event=failed, user=triager, reason="fixed") == outcome
        assert told(mirrored)[-1]["reason"] == "issue_closed"
        assert len(told(mirrored)) == 2
        failed.refresh_from_db()
        assert (failed.state, failed.error) == ("handled", "")
        line = AuditLine.objects.filter(action="github_event.replay").order_by("pk").first()
        assert (line.user, line.reason, line.before) == (triager, "fixed", {"state": "failed"})

    def test_it_is_done_in_the_console_by_triage_and_looked_at_by_finance(
        self, failed, mirrored, signed_in, triager, financier
    ):
        url = reverse("admin:feedback_githubevent_action", args=[failed.pk, "replay"])
        assert "1 report updated" in signed_in(financier).get(url).content.decode()
        assert signed_in(financier).post(url, {"reason": "x"}).status_code == 403
        do(signed_in(triager), "feedback_githubevent", failed, "replay")
        assert told(mirrored)[-1]["reason"] == "issue_closed"

    @pytest.mark.parametrize("form", ["{}#{}", "https://github.com/{}/issues/{}"])
    def test_it_is_found_by_its_issue(self, failed, signed_in, triager, form):
        GithubEvent.objects.create(delivery_id="other", event="ping", state="ignored")
        url = reverse("admin:feedback_githubevent_changelist")
        text = form.format(failed.repository, failed.issue_number)
        rows = signed_in(triager).get(url, {"q": text}).context_data["cl"].result_list
        assert [row.pk for row in rows] == [failed.pk]


def _raise(*_, **__):
    raise ZeroDivisionError


class TestKilled:
    """Wherever a process dies, the event is handled once in the end."""

    @pytest.fixture
    def stored(self, github, mirrored, drain):
        """An event whose message got lost."""
        drain()
        with transaction.atomic():
            post(event(github, "closed", state="closed"))
            connection = transaction.get_connection()
            connection.run_on_commit.clear()  # the process dies between commit and message
        return GithubEvent.objects.get()

    def test_what_was_never_handed_over_is_by_the_sweep(self, stored, mirrored, drain):
        assert drain() == []
        with clock.at(clock.now() + timedelta(minutes=2)):
            tasks.sweep_github_events()
            drain()
        assert told(mirrored)[-1]["reason"] == "issue_closed"

    def test_a_worker_killed_halfway_leaves_nothing_behind(self, stored, mirrored, monkeypatch):
        with monkeypatch.context() as killed:
            killed.setattr(issue_sync.notifications, "notify_outcome", _exit)
            with pytest.raises(SystemExit):
                github_events.handle(delivery_id=stored.delivery_id)
        assert QueueItem.objects.get().issue_state == "open"
        stored.refresh_from_db()
        assert (stored.state, stored.attempts) == ("received", 1)
        github_events.handle(delivery_id=stored.delivery_id)
        assert len(told(mirrored)) == 2

    def test_workers_at_once_tell_the_agent_once(self, stored, mirrored):
        at_once(*[lambda: github_events.handle(delivery_id=stored.delivery_id)] * 6)
        assert len(told(mirrored)) == 2
        stored.refresh_from_db()
        assert (stored.state, stored.outcome) == ("handled", "1 report updated")

    def test_the_scheduler_sweeps(self):
        current_app.loader.import_default_modules()
        scheduled = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
        assert "feedback.sweep_github_events" in scheduled & set(current_app.tasks)


def _exit(*_, **__):
    raise SystemExit


class TestPoll:
    def test_what_no_webhook_told_is_read(self, github, mirrored):
        github.change(github.issues[0]["number"], state="closed", labels=["done"])
        issue_sync.poll(repository=REPOSITORY)
        issue_sync.poll(repository=REPOSITORY)
        assert [one["reason"] for one in told(mirrored)[1:]] == ["issue_closed", "issue_labelled"]

    def test_duplicates_hear_of_it_too(self, github, left, mirrored):
        repeat = left()
        github.change(github.issues[0]["number"], state="closed")
        issue_sync.poll(repository=REPOSITORY)
        assert told(repeat)[-1]["issue_state"] == "closed"
