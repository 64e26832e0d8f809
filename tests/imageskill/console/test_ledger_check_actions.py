"""Checking the books by a button: for a reason, by a worker, once, by who may."""

from dataclasses import replace

import pytest
from django.urls import reverse

from accounts.models import AuditLine
from billing.admin.ledger import BooksCheckAdmin
from billing.models import BooksCheck
from imageskill.lib import clock

LIST, ACTION = "admin:billing_bookscheck_changelist", "admin:billing_bookscheck_list_action"


def opened_form(browser, **fields):
    page = browser.get(reverse(ACTION, args=["check"])).context_data
    return {"seen": page["seen"], "key": page["key"]} | fields


def ask(browser, reason="a sponsor wonders"):
    form = opened_form(browser, reason=reason)
    return browser.post(reverse(ACTION, args=["check"]), form, follow=True)


@pytest.mark.django_db(transaction=True)
class TestByAWorker:
    def test_it_is_checked_for_who_asked_and_shown_first(self, signed_in, financier, agent, drain):
        browser = signed_in(financier)
        assert reverse(ACTION, args=["check"]) in browser.get(reverse(LIST)).content.decode()
        answer = ask(browser)
        assert "A worker checks" in answer.content.decode()
        drain()
        check = BooksCheck.objects.get()
        assert (check.actor, check.problem_count) == (f"user:{financier.pk}", 0)
        line = AuditLine.objects.get(action="books.check")
        assert (line.user, line.reason) == (financier, "a sponsor wonders")

    def test_the_form_sent_twice_is_done_once(self, signed_in, operator, drain):
        browser = signed_in(operator)
        url, form = reverse(ACTION, args=["check"]), opened_form(browser, reason="once")
        for _ in range(2):
            browser.post(url, form)
        assert drain() == ["billing.check_books"]


@pytest.mark.django_db
class TestBeforehand:
    def test_without_a_reason_nothing_is_asked(self, signed_in, financier):
        answer = ask(signed_in(financier), reason="")
        assert "This field is required" in answer.content.decode()
        assert not AuditLine.objects.filter(action="books.check").exists()

    def test_a_preview_asks_for_no_reason_and_does_nothing(self, signed_in, financier):
        browser = signed_in(financier)
        form = opened_form(browser, preview="1")
        answer = browser.post(reverse(ACTION, args=["check"]), form)
        assert "A worker goes through every wallet" in answer.content.decode()
        assert not AuditLine.objects.filter(action="books.check").exists()

    def test_it_is_not_done_on_what_was_not_shown(self, signed_in, financier):
        browser = signed_in(financier)
        form = opened_form(browser, reason="because", seen="something else")
        answer = browser.post(reverse(ACTION, args=["check"]), form)
        assert "This has changed since you opened it" in answer.content.decode()
        assert not AuditLine.objects.filter(action="books.check").exists()

    def test_who_may_only_preview_is_offered_a_dry_run(self, signed_in, auditor, monkeypatch):
        (check,) = BooksCheckAdmin.list_actions
        with_dry_run = replace(check, dry_run="accounts.see_ledger")
        monkeypatch.setattr(BooksCheckAdmin, "list_actions", (with_dry_run,))
        browser = signed_in(auditor)
        assert f"{check.label} (dry run)" in browser.get(reverse(LIST)).content.decode()
        url = reverse(ACTION, args=["check"])
        page = browser.get(url).content.decode()
        assert "A worker goes through every wallet" in page
        assert 'name="reason"' not in page
        assert browser.post(url, {"reason": "because"}).status_code == 403

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
        url = reverse(ACTION, args=["check"])
        assert url not in browser.get(reverse(LIST)).content.decode()
        assert browser.get(url).status_code == 403
