"""Checking the books by a button: for a reason, by a worker, once, by who may."""

import pytest
from django.urls import reverse

from accounts.models import AuditLine
from billing.models import BooksCheck
from imageskill.lib import clock

LIST, DEED = "admin:billing_bookscheck_changelist", "admin:billing_bookscheck_page_deed"


def ask(browser, **fields):
    url = reverse(DEED, args=["check"])
    form = {"key": browser.get(url).context_data["key"], "reason": "a sponsor wonders"}
    return browser.post(url, form | fields, follow=True)


@pytest.mark.django_db(transaction=True)
class TestByAWorker:
    def test_it_is_checked_for_who_asked_and_shown_first(self, signed_in, financier, agent, drain):
        browser = signed_in(financier)
        assert reverse(DEED, args=["check"]) in browser.get(reverse(LIST)).content.decode()
        answer = ask(browser)
        assert "A worker checks" in answer.content.decode()
        drain()
        check = BooksCheck.objects.get()
        assert (check.actor, check.problem_count) == (f"user:{financier.pk}", 0)
        line = AuditLine.objects.get(action="books.check")
        assert (line.user, line.reason) == (financier, "a sponsor wonders")

    def test_the_form_sent_twice_is_done_once(self, signed_in, operator, drain):
        browser = signed_in(operator)
        url = reverse(DEED, args=["check"])
        form = {"key": browser.get(url).context_data["key"], "reason": "once"}
        for _ in range(2):
            browser.post(url, form)
        assert drain() == ["billing.check_books"]


@pytest.mark.django_db
class TestBeforehand:
    def test_without_a_reason_nothing_is_asked(self, signed_in, financier):
        answer = ask(signed_in(financier), reason="")
        assert "This field is required" in answer.content.decode()
        assert not AuditLine.objects.filter(action="books.check").exists()

    def test_what_was_found_is_shown_in_words(self, signed_in, auditor):
        problem = {"check": "balances", "subject": "wallet 7", "message": "says <5>, has 4"}
        check = BooksCheck.objects.create(
            finished_at=clock.now(), actor="tests", problem_count=1, problems=[problem]
        )
        url = reverse("admin:billing_bookscheck_change", args=[check.pk])
        text = signed_in(auditor).get(url).content.decode()
        assert "<p>balances: wallet 7: says &lt;5&gt;, has 4</p>" in text

    def test_auditors_see_the_checks_and_no_button(self, signed_in, auditor):
        browser = signed_in(auditor)
        url = reverse(DEED, args=["check"])
        assert url not in browser.get(reverse(LIST)).content.decode()
        assert browser.get(url).status_code == 403
