"""The feedback inbox: what it shows, what it lets whom do, and that it stays quick."""

import re

import pytest
from django.urls import reverse

from accounts.models import AuditLine
from feedback.models import Report
from imageskill.lib.admin.formatting import copyable
from jobs.models import Job

pytestmark = pytest.mark.django_db

INBOX = "/admin/feedback-inbox/"


@pytest.fixture
def at(signed_in, triager):
    return signed_in(triager)


def form_of(answer) -> dict[str, str]:
    """Read the fields of a review's form."""
    page = answer.content.decode()
    return dict(re.findall(r'<input type="hidden" name="(move|key|back)" value="([^"]*)"', page))


def review(browser, move, *reports, **fields):
    chosen = {"move": move, "ids": [report.pk for report in reports], **fields}
    return browser.post(reverse("admin:feedback_review"), chosen)


def apply(browser, move, *reports, **fields):
    looked = form_of(review(browser, move, *reports))
    return review(browser, move, *reports, apply="1", key=looked["key"], **fields)


class TestBoard:
    def test_it_shows_states_with_counts_and_the_open_report(self, at, left):
        left(title="The gallery is slow", severity="critical")
        page = at.get(INBOX).content.decode()
        assert re.search(r'aria-current="page">New <b>1</b>', page)
        assert "The gallery is slow" in page
        assert "Likely duplicates" in page

    def test_its_id_is_copied_by_the_same_button_as_everywhere(self, at, left):
        report = left()
        assert copyable(report.public_id) in at.get(INBOX).content.decode()

    def test_evidence_is_joined_to_job_price_and_error(self, at, left, agent):
        job = Job.objects.create(
            organization=agent.organization,
            agent=agent.agent,
            operation="upload",
            trace_id="trace_" + "a" * 32,
            status="failed",
            error_code="PROVIDER_FAILURE",
            completed_at="2026-01-01T00:00:00Z",
        )
        left(evidence=[f"job:{job.public_id}", "job:job_unknown"])
        page = at.get(INBOX).content.decode()
        assert "PROVIDER_FAILURE" in page
        assert reverse("admin:jobs_job_change", args=[job.pk]) in page

    def test_somebody_elses_job_stays_text(self, at, left, stranger):
        job = Job.objects.create(
            organization=stranger.organization,
            agent=stranger.agent,
            operation="upload",
            trace_id="trace_" + "b" * 32,
        )
        left(evidence=[f"job:{job.public_id}"])
        assert reverse("admin:jobs_job_change", args=[job.pk]) not in at.get(INBOX).content.decode()

    def test_an_agents_markup_stays_text(self, at, left):
        left(title="<script>alert(1)</script>", body="<img src=x onerror=alert(1)>")
        page = at.get(INBOX).content.decode()
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page

    def test_filters_and_search(self, at, left):
        left(title="alpha is slow", body="a", severity="high")
        bravo = left(title="bravo is missing", body="b")
        page = at.get(INBOX, {"severity": "high"}).content.decode()
        assert "alpha" in page
        assert "bravo" not in page
        for words in ("bravo", bravo.public_id):
            page = at.get(INBOX, {"q": words}).content.decode()
            assert "bravo is missing" in page
            assert "alpha is slow" not in page

    def test_pages_follow_the_key(self, at, left):
        made = [left(dedupe_key=str(number), title=f"report {number}") for number in range(32)]
        first = at.get(INBOX)
        assert [row.pk for row in first.context_data["rows"]] == [
            one.pk for one in reversed(made[2:])
        ]
        second = at.get(INBOX + first.context_data["next_url"])
        assert [row.pk for row in second.context_data["rows"]] == [made[1].pk, made[0].pk]

    def test_few_statements_however_many_reports(self, at, left, django_assert_max_num_queries):
        for number in range(31):
            left(dedupe_key=str(number), evidence=["trace:trace_" + "c" * 32])
        at.get(INBOX)
        with django_assert_max_num_queries(25):
            assert at.get(INBOX).status_code == 200

    def test_part_gives_the_report_alone(self, at, left):
        page = at.get(INBOX, {"open": left().pk, "part": "report"}).content.decode()
        assert page.lstrip().startswith("<header>")

    @pytest.mark.parametrize("query", [{"open": "x"}, {"after": "9" * 30}, {"state": "nonsense"}])
    def test_nonsense_in_the_address_does_no_harm(self, at, left, query):
        left()
        assert at.get(INBOX, query).status_code == 200


class TestMoves:
    def test_a_review_changes_nothing_and_applying_does(self, at, left):
        report = left()
        assert "New → Accepted" in review(at, "accept", report).content.decode()
        assert Report.objects.get().state == "new"
        apply(at, "accept", report)
        assert Report.objects.get().state == "accepted"

    def test_a_compulsory_reason_is_asked_for(self, at, left):
        report = left()
        assert "Enter a reason" in apply(at, "decline", report).content.decode()
        assert Report.objects.get().state == "new"
        apply(at, "decline", report, reason="out of scope")
        assert AuditLine.objects.get(subject=report.public_id).reason == "out of scope"

    def test_each_row_has_an_outcome_of_its_own(self, at, left):
        new, done = left(), left(title="quite another matter", body="different")
        Report.objects.filter(pk=done.pk).update(state="mirrored")
        page = apply(at, "accept", new, done).content.decode()
        assert "1 of 2 done" in page
        assert "The report is mirrored; accept does not apply." in page

    def test_sent_twice_it_is_done_once(self, at, left):
        report = left()
        key = form_of(review(at, "accept", report))["key"]
        for _ in range(2):
            review(at, "accept", report, apply="1", key=key)
        assert AuditLine.objects.filter(subject=report.public_id).count() == 1

    def test_a_duplicate_by_id_or_by_choice(self, at, left):
        first, second = left(), left(title="quite another matter", body="different")
        assert (
            "There is no report with that ID."
            in apply(
                at, "duplicate", second, reason="r", other_target="sig_nothing"
            ).content.decode()
        )
        apply(at, "duplicate", second, reason="same", target=first.public_id)
        assert Report.objects.get(pk=second.pk).duplicate_of == first

    def test_queueing_shows_the_issue_as_it_would_be(self, at, left, settings):
        settings.GITHUB_REPOSITORY = "owner/name"
        report = left()
        Report.objects.filter(pk=report.pk).update(body="write to reader@example.com")  # an old one
        page = review(at, "queue", report).content.decode()
        assert "reader@" not in page
        assert "[email address removed]" in page
        assert "1 × email address redacted" in page

    def test_a_way_back_leads_only_to_the_inbox(self, at, left):
        report = left()
        page = review(at, "accept", report, back="//evil.example").content.decode()
        assert 'href="//evil' not in page
        assert f'href="{INBOX}?' in page


class TestRoles:
    def test_who_only_reads_sees_no_moves_and_may_not_make_any(self, signed_in, auditor, left):
        browser, report = signed_in(auditor), left()
        assert 'name="move"' not in browser.get(INBOX).content.decode()
        assert review(browser, "accept", report).status_code == 403

    def test_sponsors_and_strangers_stay_outside(self, client, left):
        report = left()
        assert client.get(INBOX).status_code == 302
        assert review(client, "accept", report, apply="1").status_code == 302
        assert Report.objects.get().state == "new"


class TestQueuePages:
    def test_lists_and_items_open(self, at, left, press, settings, django_assert_max_num_queries):
        settings.GITHUB_REPOSITORY = "owner/name"
        item = press("queue", left()).queue_item
        for name in ("queueitem", "githubrepository", "githubevent"):
            url = reverse(f"admin:feedback_{name}_changelist")
            assert at.get(url).status_code == 200
        url = reverse("admin:feedback_queueitem_change", args=[item.pk])
        with django_assert_max_num_queries(25):
            page = at.get(url).content.decode()
        assert "jobs wait gave up" in page
        assert "Remove from queue" in page
