"""Refunds and disputes in the console: the queue of finance, and the disputes by deadline."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import AuditLine
from billing.admin import disputes
from billing.models import PaymentReversal
from billing.reversals import applying
from imageskill.lib import clock
from tests.billing.money import buy
from tests.billing.stripe_facts import dispute, refund
from tests.imageskill.console.money_actions import do

pytestmark = pytest.mark.django_db
LIST = "admin:billing_paymentreversal_changelist"


DUE = clock.now() + timedelta(days=9)


def disputed(org, name, *, cents=500, days=0, reason="fraudulent", due=True):
    """Have a charge disputed; its answer is due days after the others'."""
    buy(org, cents, charge_id=f"ch_{name}")
    told = replace(
        dispute(f"du_{name}", f"ch_{name}", cents),
        reason=reason,
        evidence_due_by=DUE + timedelta(days=days) if due else None,
    )
    return applying.apply_dispute(told)


@pytest.fixture
def flagged(agent):
    buy(agent.organization.pk, 500, charge_id="ch_a")
    applying.apply_refund(refund("re_fine", "ch_a", 100))
    return applying.apply_refund(refund("re_much", "ch_a", 700))


def listed(browser, **query):
    page = browser.get(reverse(LIST, query=query))
    return [reversal.stripe_id for reversal in page.context_data["cl"].result_list]


class TestFinanceQueue:
    def test_it_is_a_filter_of_the_list(self, signed_in, financier, flagged):
        browser = signed_in(financier)
        assert listed(browser) == ["re_much", "re_fine"]
        assert listed(browser, flagged="yes") == ["re_much"]

    def test_resolving_needs_a_reason_and_empties_it(self, signed_in, financier, flagged):
        browser = signed_in(financier)
        do(browser, "billing_paymentreversal", flagged, "resolve", reason=" ")
        assert listed(browser, flagged="yes") == ["re_much"]
        do(browser, "billing_paymentreversal", flagged, "resolve")
        assert listed(browser, flagged="yes") == []
        flagged.refresh_from_db()
        assert flagged.resolution == "because"
        line = AuditLine.objects.get(action="reversal.resolve", subject=flagged.public_id)
        assert (line.user, line.reason) == (financier, "because")

    def test_a_reversal_without_a_problem_offers_nothing(self, signed_in, financier, flagged):
        fine = PaymentReversal.objects.get(stripe_id="re_fine")
        page = signed_in(financier).get(
            reverse("admin:billing_paymentreversal_change", args=[fine.pk])
        )
        assert page.context_data["object_actions"] == []

    def test_auditors_and_support_may_look_but_not_resolve(
        self, signed_in, auditor, supporter, flagged
    ):
        url = reverse("admin:billing_paymentreversal_action", args=[flagged.pk, "resolve"])
        for person in (auditor, supporter):
            browser = signed_in(person)
            assert listed(browser, flagged="yes") == ["re_much"]
            assert browser.get(url).status_code == 403


class TestDisputes:
    URL = "admin:billing_disputes"

    @pytest.fixture
    def org(self, agent):
        return agent.organization.pk

    @pytest.fixture
    def four(self, org):
        disputed(org, "never", due=False)
        disputed(org, "late", days=5, cents=1200)
        disputed(org, "soon", reason="duplicate")
        disputed(org, "next", days=1)
        lost = dispute("du_lost", "ch_lost", 500, status="lost")
        buy(org, 500, charge_id="ch_lost")
        applying.apply_dispute(lost)

    def shown(self, page):
        order = ["soon", "next", "late", "never", "lost"]
        text = page.content.decode()
        places = {name: text.find(f">du_{name}<") for name in order}
        return sorted((name for name in order if places[name] >= 0), key=places.get)

    def test_they_stand_by_deadline_those_without_one_last(self, signed_in, supporter, four):
        page = signed_in(supporter).get(reverse(self.URL))
        assert self.shown(page) == ["soon", "next", "late", "never"]
        text = page.content.decode()
        for what in ("12.00 USD", "duplicate", "Debited", "8 days left", "no deadline"):
            assert what in text

    def test_each_reason_says_how_much_is_at_stake_and_narrows(self, signed_in, supporter, four):
        browser = signed_in(supporter)
        page = browser.get(reverse(self.URL))
        assert "fraudulent: 3, 22.00 USD" in page.content.decode()
        [duplicate] = [one for one in page.context_data["reasons"] if one["reason"] == "duplicate"]
        assert self.shown(browser.get(duplicate["url"])) == ["soon"]

    def test_pages_follow_one_another_without_a_gap(self, signed_in, supporter, four, monkeypatch):
        monkeypatch.setattr(disputes, "PAGE_SIZE", 1)
        browser, url, seen = signed_in(supporter), reverse(self.URL), []
        while url:
            page = browser.get(url)
            seen += self.shown(page)
            url = page.context_data["later_url"]
        assert seen == ["soon", "next", "late", "never"]

    def test_the_list_narrows_to_open_ones_and_to_a_reason(self, signed_in, supporter, four):
        browser = signed_in(supporter)
        assert "du_lost" not in listed(browser, open="yes")
        assert len(listed(browser, open="yes")) == 4
        assert listed(browser, reason="duplicate") == ["du_soon"]

    def test_triage_has_no_way_to_it(self, signed_in, triager):
        assert signed_in(triager).get(reverse(self.URL)).status_code == 403

    def test_an_empty_list_says_what_would_be_here(self, signed_in, auditor):
        page = signed_in(auditor).get(reverse(self.URL))
        assert "No open disputes" in page.content.decode()
