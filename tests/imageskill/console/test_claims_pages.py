"""Requests to claim agents, in the console."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.claims import decisions, requests
from accounts.models import Claim, ClaimRecipient
from imageskill.lib import clock
from tests.accounts.claiming import accept, person
from tests.cast import sign_up

pytestmark = pytest.mark.django_db
LIST = "admin:accounts_claim_changelist"


def page_url(claim):
    return reverse("admin:accounts_claim_change", args=[claim.pk])


class TestList:
    def test_it_tells_state_mail_and_moments_and_narrows_by_them(
        self, signed_in, supporter, agent, stranger
    ):
        claim = Claim.objects.get(agent=agent.agent)
        requests.send(claim_id=claim.pk)
        decisions.decline(claim=claim, user=None)
        browser = signed_in(supporter)

        def found(**query):
            rows = browser.get(reverse(LIST, query=query)).context_data["cl"].result_list
            return {row.agent.name for row in rows}

        assert found() == {"creative-agent", "other-agent"}
        assert found(state__exact="declined") == {"creative-agent"}
        assert found(withheld__exact="limit") == set()
        assert found(q="other-ops@example.com") == {"other-agent"}
        assert found(q=agent.id) == {"creative-agent"}
        assert found(q=claim.public_id) == {"creative-agent"}

    def test_it_says_why_a_mail_was_withheld(self, signed_in, supporter, agent):
        ClaimRecipient.objects.update(stopped_at=clock.now())
        sign_up(name="second-agent")
        page = signed_in(supporter).get(reverse(LIST)).content.decode()
        assert "Not sent: Recipient unsubscribed" in page

    def test_who_does_not_look_after_agents_sees_a_hint_of_the_address(
        self, signed_in, supporter, triager, agent
    ):
        claim = Claim.objects.get()
        for url in (reverse(LIST), page_url(claim)):
            assert "agent-ops@example.com" in signed_in(supporter).get(url).content.decode()
            hint = signed_in(triager).get(url).content.decode()
            assert "agent-ops@example.com" not in hint
            assert "a***@e***.com" in hint

    def test_an_export_has_no_addresses(self, signed_in, supporter, agent):
        answer = signed_in(supporter).get(reverse("admin:accounts_claim_export_csv"))
        text = b"".join(answer.streaming_content).decode()
        assert Claim.objects.get().public_id in text
        assert "example.com" not in text


class TestPage:
    def test_it_tells_who_decided_and_when(self, signed_in, supporter, agent):
        user = person("agent-ops@example.com")
        accept(agent, user)
        claim = Claim.objects.get()
        page = signed_in(supporter).get(page_url(claim)).content.decode()
        for text in (
            reverse("admin:accounts_user_change", args=[user.pk]),
            "accepted",
            "Decided by",
        ):
            assert text in page

    def test_a_link_in_somebodys_hand_decided_without_a_name(self, signed_in, supporter, agent):
        claim = Claim.objects.get()
        decisions.decline(claim=claim, user=None)
        assert "Recipient of the link" in signed_in(supporter).get(page_url(claim)).content.decode()

    def test_nobody_without_staff_access_sees_it(self, signed_in, sponsor, client, agent):
        for browser in (signed_in(sponsor), client):
            assert browser.get(page_url(Claim.objects.get())).status_code in {302, 403}


class TestSearch:
    def test_an_id_leads_to_the_page(self, signed_in, supporter, agent):
        claim = Claim.objects.get()
        answer = signed_in(supporter).post(reverse("admin:console_search"), {"q": claim.public_id})
        assert answer["Location"] == page_url(claim)


class TestTimeline:
    def steps(self, browser, agent):
        url = reverse("admin:accounts_agent_change", args=[agent.agent.pk])
        [*rows] = browser.get(url).context_data["facts"]["claims"]
        return [[step for step, _ in row.steps] for row in rows]

    def test_the_agent_page_tells_each_step(self, signed_in, supporter, agent):
        browser = signed_in(supporter)
        claim = Claim.objects.get()
        assert self.steps(browser, agent) == [["mail pending", "expires"]]
        requests.send(claim_id=claim.pk)
        assert self.steps(browser, agent) == [["mailed", "expires"]]
        Claim.objects.update(expires_at=clock.now() - timedelta(minutes=1))
        assert self.steps(browser, agent) == [["mailed", "expired"]]
        requests.expire_overdue()
        assert self.steps(browser, agent) == [["mailed", "expired"]]
        ClaimRecipient.objects.update(stopped_at=clock.now())
        requests.reissue(agent=agent.agent, user=supporter, reason="asked again")
        assert self.steps(browser, agent)[0] == [
            "mail not sent: recipient unsubscribed",
            "expires",
        ]
