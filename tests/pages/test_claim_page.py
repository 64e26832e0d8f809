"""The page behind a mailed link."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.claims import inboxes, requests
from accounts.models import Agent, Claim
from tests.accounts.claiming import accept, mailed, person, request_of
from tests.cast import Signed
from tests.pages.conftest import LOOKS, made

pytestmark = pytest.mark.django_db
INBOX = "agent-ops@example.com"
TERMS = {"allowed": ["image.create"], "credits_per_operation": 50, "outputs_per_request": 2}


def _opened(client: Client, signed: Signed) -> str:
    """Follow the mailed link and give the address of its page."""
    answer = client.get(reverse("claim_link", args=[mailed(request_of(signed))]))
    assert answer.status_code == 302
    return str(answer.headers["Location"])


class TestOpeningTheLink:
    def test_changes_nothing(self, agent: Signed) -> None:
        token = mailed(request_of(agent))
        before = Claim.objects.values().get(agent=agent.agent)

        for _ in range(3):
            Client().get(reverse("claim_link", args=[token]), follow=True)

        assert Claim.objects.values().get(agent=agent.agent) == before

    def test_takes_the_token_out_of_the_address(self, agent: Signed) -> None:
        client, token = Client(), mailed(request_of(agent))

        answer = client.get(reverse("claim_link", args=[token]), follow=True)

        assert token not in answer.request["PATH_INFO"]
        assert token not in answer.text

    def test_shows_name_runtime_and_first_seen_before_signing_in_and_no_more(
        self, agent: Signed
    ) -> None:
        made(agent)
        client = Client()

        text = client.get(_opened(client, agent)).text

        assert "creative-agent" in text
        assert "tests" in text
        assert "What you would take over" not in text
        assert INBOX not in text
        assert "/t/image_" not in text

    def test_can_be_looked_at_by_scanners_of_mail(self, agent: Signed) -> None:
        link = reverse("claim_link", args=[mailed(request_of(agent))])
        assert Client().head(link).status_code == 302

    def test_unknown_says_so(self, db: None) -> None:
        answer = Client().get(reverse("claim_link", args=["nonsense"]))

        assert answer.status_code == 404
        assert "Link not recognized" in answer.text


class TestWithoutTheLink:
    def test_there_is_no_page(self, agent: Signed, looking_as: LOOKS) -> None:
        url = reverse("claim", args=[request_of(agent).public_id])

        assert Client().get(url).status_code == 404
        assert looking_as(person("uninvited@example.com")).get(url).status_code == 404

    @pytest.mark.parametrize("name", ["claim_decline", "claim_report"])
    def test_nothing_can_be_decided(self, agent: Signed, name: str) -> None:
        claim = request_of(agent)

        answer = Client().post(reverse(name, args=[claim.public_id]))

        assert answer.status_code == 404
        assert request_of(agent) == claim

    def test_its_addressee_finds_it_among_their_agents(
        self, agent: Signed, looking_as: LOOKS
    ) -> None:
        client = looking_as(person(INBOX))
        url = reverse("claim", args=[request_of(agent).public_id])

        assert url in client.get(reverse("my_agents")).text
        assert client.get(url).status_code == 200


class TestSignedIn:
    def test_the_addressee_sees_what_they_would_take_on(
        self, agent: Signed, looking_as: LOOKS
    ) -> None:
        job = made(agent)
        client = looking_as(person(INBOX))

        text = client.get(_opened(client, agent)).text

        assert job.assets.get().public_id in text
        assert "What you would take over" in text
        assert "31" in text  # 40 starter credits less the job's 9
        assert "Create images" in text

    def test_somebody_else_is_told_why_not(self, agent: Signed, looking_as: LOOKS) -> None:
        client = looking_as(person("uninvited@example.com"))

        text = client.get(_opened(client, agent)).text

        assert "sent to a different email" in text
        assert "What you would take over" not in text
        assert INBOX not in text

    def test_can_change_to_another_address_and_keep_the_link(
        self, agent: Signed, looking_as: LOOKS
    ) -> None:
        client = looking_as(person("uninvited@example.com"))
        url = _opened(client, agent)

        answer = client.post(url + "/person")

        assert answer.headers["Location"].startswith(reverse("account_login"))
        assert client.get(url).status_code == 200
        assert "sessionid" in client.cookies


class TestDeciding:
    def test_claims_under_the_chosen_terms(self, agent: Signed, looking_as: LOOKS) -> None:
        client = looking_as(person(INBOX))
        url = _opened(client, agent)

        answer = client.post(url, TERMS | {"credits_per_day": 70})

        assert answer.headers["Location"] == reverse("agent", args=[agent.id])
        row = Agent.objects.get(pk=agent.agent.pk)
        assert row.claim_state == "claimed"
        assert row.cap_credits_per_day == 70
        assert "image.edit" not in row.grants
        assert "feedback.create" in row.grants

    @pytest.mark.parametrize(("kept", "told"), [({}, True), ({"keeps_tokens": "on"}, False)])
    def test_a_transfer_says_that_the_token_was_revoked(
        self, agent: Signed, looking_as: LOOKS, kept: dict[str, str], *, told: bool
    ) -> None:
        first, second = person(INBOX), person("second@example.org")
        accept(agent, first)
        offer = requests.offer_transfer(agent=agent.agent, user=first, address=second.email)
        client = looking_as(second)

        text = client.post(f"/claims/{offer.public_id}", TERMS | kept, follow=True).text

        assert f"You are now the sponsor of {agent.agent.name}." in text
        assert ("Its token was revoked" in text) == told

    def test_shows_what_is_wrong_with_the_terms(self, agent: Signed, looking_as: LOOKS) -> None:
        client = looking_as(person(INBOX))
        url = _opened(client, agent)

        answer = client.post(url, TERMS | {"credits_per_day": "-1"})

        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
        assert Agent.objects.get(pk=agent.agent.pk).claim_state == "unclaimed"

    def test_somebody_else_can_post_what_they_like(self, agent: Signed, looking_as: LOOKS) -> None:
        client = looking_as(person("uninvited@example.com"))

        client.post(_opened(client, agent), TERMS)

        assert Agent.objects.get(pk=agent.agent.pk).claim_state == "unclaimed"

    def test_declines_by_the_link_alone(self, agent: Signed) -> None:
        client = Client()
        url = _opened(client, agent)

        answer = client.post(url + "/decline", follow=True)

        assert "This request was declined." in answer.text
        assert Agent.objects.get(pk=agent.agent.pk).claim_request_state == "declined"

    def test_reports_by_the_link_alone(self, agent: Signed) -> None:
        client = Client()

        client.post(_opened(client, agent) + "/report", {"reason": "Spam."})

        assert Agent.objects.get(pk=agent.agent.pk).is_suspended

    def test_twice_is_harmless(self, agent: Signed, looking_as: LOOKS) -> None:
        client = looking_as(person(INBOX))
        url = _opened(client, agent)
        client.post(url, TERMS)

        answer = client.post(url, TERMS)

        assert answer.status_code == 200
        assert "already accepted" in answer.text
        assert reverse("agent", args=[agent.id]) in answer.text


class TestFormsNeedATokenOfTheirPage:
    def test_without_one_nothing_happens(self, agent: Signed) -> None:
        client = Client(enforce_csrf_checks=True)
        url = _opened(client, agent)

        assert client.post(url + "/decline").status_code == 403


class TestTheStopLink:
    def test_stops_after_a_confirmation(self, agent: Signed) -> None:
        path = inboxes.unsubscribe_link(INBOX).split("/", 3)[3]
        client = Client(enforce_csrf_checks=True)
        assert client.get("/" + path).status_code == 200
        assert not inboxes.is_unsubscribed(INBOX)

        client.post("/" + path)

        assert inboxes.is_unsubscribed(INBOX)
