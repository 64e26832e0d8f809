"""Refunds and disputes in the console: the queue of finance, and the disputes by deadline."""

import pytest
from django.urls import reverse

from accounts.models import AuditLine
from billing import reversals
from billing.models import PaymentReversal
from tests.billing.money import buy
from tests.billing.stripe_facts import refund
from tests.imageskill.console.money_deeds import do

pytestmark = pytest.mark.django_db
LIST = "admin:billing_paymentreversal_changelist"


@pytest.fixture
def flagged(agent):
    buy(agent.organization.pk, 500, charge_id="ch_a")
    reversals.apply_refund(refund("re_fine", "ch_a", 100))
    return reversals.apply_refund(refund("re_much", "ch_a", 700))


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
        assert page.context_data["deeds"] == []

    def test_auditors_and_support_may_look_but_not_resolve(
        self, signed_in, auditor, supporter, flagged
    ):
        url = reverse("admin:billing_paymentreversal_deed", args=[flagged.pk, "resolve"])
        for person in (auditor, supporter):
            browser = signed_in(person)
            assert listed(browser, flagged="yes") == ["re_much"]
            assert browser.get(url).status_code == 403
