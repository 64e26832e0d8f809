"""Closing months and settling differences in the console: reasons kept, a second person asked."""

import csv
import io
from datetime import date

import pytest
from django.urls import reverse

from accounts.models import AuditLine
from billing.models import Difference, MonthClose
from billing.reconciliation import month_close
from imageskill.lib import clock
from tests.imageskill.console.doing import do

pytestmark = pytest.mark.django_db
CLOSE = "admin:billing_month_close"
MODEL = "billing_monthclose"


@pytest.fixture
def closed(financier) -> MonthClose:
    return month_close.close(month=date(2026, 1, 1), user=financier, reason="it is over")


def send(browser, month="2026-01", **fields):
    """Look at a month, then close it as the page offers."""
    page = browser.get(reverse(CLOSE), {"month": month}).context_data
    form = {"month": month, "seen": page.get("seen", ""), "reason": "all invoices are in"}
    return browser.post(reverse(CLOSE), form | fields, follow=True)


def reasons(action):
    return list(AuditLine.objects.filter(action=action).values_list("user__email", "reason"))


class TestMonthClose:
    def test_shows_the_figures_in_words_then_freezes_them(self, signed_in, financier, agent):
        browser = signed_in(financier)
        month = f"{clock.now():%Y-%m}"
        page = browser.get(reverse(CLOSE), {"month": "2026-01"}).content.decode()
        assert "Opening credits" in page
        assert "Reversed, less reinstated" in page
        assert "closing_credits" not in page
        assert not MonthClose.objects.exists()
        send(browser)
        closed = MonthClose.objects.get()
        assert closed.closed_by == financier
        assert reasons("month.close") == [(financier.email, "all invoices are in")]
        assert "can be closed from" in send(browser, month).content.decode()

    def test_needs_a_reason(self, signed_in, financier):
        answer = send(signed_in(financier), reason=" ")
        assert "This field is required" in answer.content.decode()
        assert not MonthClose.objects.exists()

    def test_sent_twice_closes_once_and_says_so(self, signed_in, financier):
        browser = signed_in(financier)
        send(browser)
        assert "closed already" in send(browser).content.decode()
        assert MonthClose.objects.count() == 1

    def test_is_refused_when_the_ledger_has_moved_on(self, signed_in, financier):
        answer = send(signed_in(financier), seen="what the page showed before")
        assert "Review them again" in answer.content.decode()
        assert not MonthClose.objects.exists()

    def test_of_this_month_is_refused(self, signed_in, financier):
        answer = send(signed_in(financier), f"{clock.now():%Y-%m}")
        assert answer.content.decode().count("This month can be closed from ") == 1

    def test_is_read_and_exported_afterwards(self, signed_in, financier, closed):
        browser = signed_in(financier)
        page = browser.get(reverse(f"admin:{MODEL}_change", args=[closed.pk])).content.decode()
        assert "Debt written off" in page
        assert "by_kind" not in page
        assert "Deferred revenue at the month" in page
        listing = browser.get(reverse(f"admin:{MODEL}_changelist"))
        assert "Close a month" in listing.content.decode()
        file = browser.get(reverse("admin:billing_month_csv", args=[closed.pk]))
        rows = dict(csv.reader(io.StringIO(b"".join(file.streaming_content).decode("utf-8-sig"))))
        assert (rows["month"], rows["digest"]) == ("2026-01", closed.digest)
        assert reasons("export.csv") == [(financier.email, "month=2026-01&version=1")]

    def test_auditors_only_read(self, signed_in, auditor):
        assert signed_in(auditor).get(reverse(CLOSE)).status_code == 403


class TestReopen:
    def test_takes_two_and_keeps_both_reasons(self, signed_in, financier, second_financier, closed):
        first = signed_in(financier)
        do(first, MODEL, closed, "ask-to-reopen", reason="a late invoice")
        own = do(first, MODEL, closed, "reopen", reason="it is mine")
        assert "a second person has to" in own.content.decode()
        closed.refresh_from_db()
        assert closed.reopened_at is None

        do(signed_in(second_financier), MODEL, closed, "reopen", reason="I saw the invoice")

        closed.refresh_from_db()
        assert closed.reopened_by == second_financier
        assert reasons("month.reopen_request") == [(financier.email, "a late invoice")]
        assert reasons("month.reopen") == [(second_financier.email, "I saw the invoice")]

    def test_is_not_for_who_only_reads(self, signed_in, auditor, closed):
        url = reverse(f"admin:{MODEL}_action", args=[closed.pk, "ask-to-reopen"])
        assert signed_in(auditor).get(url).status_code == 403


class TestDifference:
    @pytest.fixture
    def difference(self) -> Difference:
        return Difference.objects.create(
            key="missing_event:payment:ch_1",
            reason=Difference.Reason.MISSING_EVENT,
            day=date(2026, 1, 5),
            environment="stand_in",
            stripe_id="ch_1",
            stripe_cents=500,
        )

    def test_is_taken_on_and_closed_with_reasons(self, signed_in, financier, difference):
        browser = signed_in(financier)
        do(browser, "billing_difference", difference, "take-on", reason="I know the buyer")
        difference.refresh_from_db()
        assert (difference.owner, difference.state) == (financier, "open")
        do(browser, "billing_difference", difference, "close", reason="a test of ours")
        difference.refresh_from_db()
        assert (difference.state, difference.note) == ("closed", "a test of ours")
        assert reasons("difference.take_on") == [(financier.email, "I know the buyer")]
        assert reasons("difference.close") == [(financier.email, "a test of ours")]

    def test_is_not_closed_twice(self, signed_in, financier, second_financier, difference):
        do(signed_in(financier), "billing_difference", difference, "close", reason="ours")
        again = do(signed_in(second_financier), "billing_difference", difference, "close")
        assert "no longer possible" in again.content.decode()
        difference.refresh_from_db()
        assert (difference.owner, difference.note) == (financier, "ours")

    def test_none_yet_says_what_would_be_there_and_how_it_gets_there(self, signed_in, auditor):
        text = signed_in(auditor).get(reverse("admin:billing_difference_changelist"))
        assert "They are compared every night" in text.content.decode()

    def test_is_only_read_by_auditors(self, signed_in, auditor, difference):
        url = reverse("admin:billing_difference_action", args=[difference.pk, "take-on"])
        assert signed_in(auditor).get(url).status_code == 403
