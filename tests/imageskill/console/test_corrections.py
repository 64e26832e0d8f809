"""Credits that staff move: asked for on the agent's page, decided by somebody else, or refused."""

import pytest
from django.urls import reverse

from accounts.models import AuditLine
from billing import ledger
from billing.models import CreditCorrection
from billing.reversals import applying
from tests.billing.money import buy, spend
from tests.billing.stripe_facts import refund
from tests.imageskill.console.doing import action_url, do

pytestmark = [pytest.mark.django_db]
REQUEST = "billing_creditcorrection"


def ask(browser, agent, action_name, **fields):
    return do(browser, "accounts_agent", agent.agent, action_name, **fields)


def balances(agent):
    return ledger.balances(agent.organization.pk)


def reasons(action):
    return list(AuditLine.objects.filter(action=action).values_list("user__email", "reason"))


@pytest.fixture
def adjustment(signed_in, financier, agent) -> CreditCorrection:
    """Ten free credits to be taken, as finance asked on the agent's page."""
    fields = {"kind": "adjust_preview", "credits": -10, "reason": "counted twice"}
    ask(signed_in(financier), agent, "adjust", **fields)
    return CreditCorrection.objects.get()


class TestAsking:
    def test_waits_for_a_second_person_and_moves_nothing(self, financier, agent, adjustment):
        assert (adjustment.state, adjustment.requested_by) == ("requested", financier)
        assert balances(agent).preview == 40
        assert reasons("correction.request") == [(financier.email, "counted twice")]

    def test_for_more_than_there_is_is_refused_in_words(self, signed_in, financier, agent):
        fields = {"kind": "adjust_preview", "credits": -41}
        answer = ask(signed_in(financier), agent, "adjust", **fields)
        assert "fewer credits than that" in answer.content.decode()
        assert not CreditCorrection.objects.exists()

    def test_is_not_for_support(self, signed_in, supporter, agent):
        url = action_url("accounts_agent", agent.agent, "adjust")
        assert signed_in(supporter).get(url).status_code == 403


class TestDeciding:
    def test_shows_why_and_how_it_stands_then_moves(
        self, signed_in, second_financier, agent, adjustment
    ):
        browser = signed_in(second_financier)
        page = browser.get(action_url(REQUEST, adjustment, "approve")).content.decode()
        assert "Requested by finance@example.com: counted twice" in page
        assert "40 preview" in page
        do(browser, REQUEST, adjustment, "approve", reason="I see both entries")
        adjustment.refresh_from_db()
        assert (adjustment.state, adjustment.decided_by) == ("approved", second_financier)
        assert adjustment.decision_note == "I see both entries"
        assert balances(agent).preview == 30
        assert reasons("correction.approve") == [(second_financier.email, "I see both entries")]

    def test_is_never_for_who_asked(self, signed_in, financier, agent, adjustment):
        browser = signed_in(financier)
        for action_name in ("approve", "turn-down"):
            answer = do(browser, REQUEST, adjustment, action_name)
            assert "a second person has to" in answer.content.decode()
        adjustment.refresh_from_db()
        assert adjustment.state == "requested"
        assert balances(agent).preview == 40

    def test_against_it_keeps_why_and_moves_nothing(
        self, signed_in, second_financier, agent, adjustment
    ):
        browser = signed_in(second_financier)
        do(browser, REQUEST, adjustment, "turn-down", reason="it was counted once")
        adjustment.refresh_from_db()
        assert (adjustment.state, adjustment.decision_note) == (
            "turned_down",
            "it was counted once",
        )
        assert balances(agent).preview == 40
        assert reasons("correction.turn_down") == [(second_financier.email, "it was counted once")]

    def test_happens_once(self, signed_in, second_financier, operator, agent, adjustment):
        do(signed_in(second_financier), REQUEST, adjustment, "approve")
        again = do(signed_in(operator), REQUEST, adjustment, "turn-down")
        assert "no longer possible" in again.content.decode()
        assert balances(agent).preview == 30

    def test_above_the_limit_is_not_for_lead_support(
        self, signed_in, lead_supporter, agent, adjustment
    ):
        answer = do(signed_in(lead_supporter), REQUEST, adjustment, "approve")
        assert "above your approval limit" in answer.content.decode()
        assert balances(agent).preview == 40

    def test_is_refused_where_the_credits_are_spent_by_now(
        self, signed_in, second_financier, agent, adjustment
    ):
        spend(agent.organization.pk, 35)
        answer = do(signed_in(second_financier), REQUEST, adjustment, "approve")
        assert "fewer credits than that" in answer.content.decode()
        adjustment.refresh_from_db()
        assert adjustment.state == "requested"

    def test_auditors_read_it_and_decide_nothing(self, signed_in, auditor, adjustment):
        browser = signed_in(auditor)
        assert (
            browser.get(reverse(f"admin:{REQUEST}_change", args=[adjustment.pk])).status_code == 200
        )
        assert browser.get(action_url(REQUEST, adjustment, "approve")).status_code == 403


class TestWriteOff:
    def test_is_offered_for_a_debt_alone_and_ends_it(
        self, signed_in, financier, second_financier, agent
    ):
        first, organization = signed_in(financier), agent.organization.pk
        none_owed = ask(first, agent, "write-off", credits=1)
        assert "no longer possible" in none_owed.content.decode()
        buy(organization, 500, charge_id="ch_a")
        spend(organization, 540)
        applying.apply_refund(refund("re_a", "ch_a", 200))
        assert balances(agent).owed == 200
        ask(first, agent, "write-off", credits=200, reason="the card was stolen")
        request = CreditCorrection.objects.get()
        do(signed_in(second_financier), REQUEST, request, "approve", reason="police report seen")
        assert balances(agent).owed == 0


class TestGoodwill:
    def test_above_the_threshold_waits(self, signed_in, supporter, operator, agent, settings):
        settings.GOODWILL_SECOND_PERSON_CREDITS = 50
        ask(signed_in(supporter), agent, "goodwill", credits=51, reason="an outage")
        assert balances(agent).preview == 40
        do(signed_in(operator), REQUEST, CreditCorrection.objects.get(), "approve")
        assert balances(agent).preview == 91
