"""What happens at GitHub comes back: signed webhooks, and a read for those that got lost."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditLine
from feedback.github_queue import github_events, queue
from feedback.models import GithubEvent, QueueItem
from imageskill.dev.standins.github import sign_event
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


class TestWebhook:
    def test_closing_shows_on_the_item_and_to_the_agent(self, github, mirrored):
        assert post(event(github, "closed", state="closed")).status_code == 200
        assert QueueItem.objects.get().issue_state == "closed"
        last = told(mirrored)[-1]
        assert (last["state"], last["reason"]) == ("promoted", "issue_closed")
        assert (last["issue_state"], last["github_mutation"]) == ("closed", "none")

    def test_labels_and_reopening_too(self, github, mirrored):
        post(event(github, "closed", state="closed"))
        post(event(github, "reopened"))
        post(event(github, "labeled", labels=[{"name": "planned"}]))
        assert [one["reason"] for one in told(mirrored)[1:]] == [
            "issue_closed",
            "issue_reopened",
            "issue_labelled",
        ]
        assert told(mirrored)[-1]["issue_labels"] == ["planned"]

    def test_one_delivery_counts_once(self, github, mirrored):
        body, headers = sign_event(event(github, "closed", state="closed"), secret=SECRET)
        for is_new in (True, False):
            answer = Client().post(
                "/webhooks/github", data=body, content_type="application/json", headers=headers
            )
            assert answer.json()["new"] is is_new
        assert len(told(mirrored)) == 2
        assert GithubEvent.objects.count() == 1

    def test_older_news_is_dropped(self, github, mirrored):
        post(event(github, "closed", state="closed", updated_at="2020-01-01T00:00:00Z"))
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
    def failed(self, github, mirrored, monkeypatch):
        """An event whose news could not be told."""
        with monkeypatch.context() as broken:
            broken.setattr(github_events.outcomes, "announce", _raise)
            assert post(event(github, "closed", state="closed")).status_code == 200
        return GithubEvent.objects.get()

    def test_what_fails_is_kept_with_its_error_and_has_changed_nothing(self, failed, mirrored):
        assert (failed.state, failed.error, failed.outcome) == ("failed", "ZeroDivisionError", "")
        assert failed.issue_number is not None
        assert QueueItem.objects.get().issue_state == "open"
        assert len(told(mirrored)) == 1

    def test_a_dry_run_says_what_would_come_and_changes_nothing(self, failed, mirrored):
        assert github_events.preview(event=failed) == "told 1 reports"
        assert QueueItem.objects.get().issue_state == "open"
        assert len(told(mirrored)) == 1

    def test_replaying_tells_it_once_and_leaves_a_line(self, failed, mirrored, triager):
        for outcome in ("told 1 reports", "nothing new"):
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
        url = reverse("admin:feedback_githubevent_deed", args=[failed.pk, "replay"])
        assert "told 1 reports" in signed_in(financier).get(url).content.decode()
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


class TestScheduledRead:
    def test_what_no_webhook_told_is_read(self, github, mirrored):
        github.change(github.issues[0]["number"], state="closed", labels=["done"])
        github_events.poll(repository=REPOSITORY)
        github_events.poll(repository=REPOSITORY)
        assert [one["reason"] for one in told(mirrored)[1:]] == ["issue_closed", "issue_labelled"]

    def test_duplicates_hear_of_it_too(self, github, left, mirrored):
        repeat = left()
        github.change(github.issues[0]["number"], state="closed")
        github_events.poll(repository=REPOSITORY)
        assert told(repeat)[-1]["issue_state"] == "closed"
