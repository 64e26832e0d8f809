"""A signed-in person sees and changes only what their organizations own."""

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import Agent, AuditLine, Token, User
from tests.cast import Signed
from tests.pages import addresses
from tests.pages.conftest import LOOKS, Home

pytestmark = pytest.mark.django_db

_OPEN_TO_ALL = {  # pages that show nothing of anybody's, or ask for a secret of their own
    "claim_link",
    "claim",
    "claim_decline",
    "claim_report",
    "claim_pass_on",
    "claim_change_person",
    "claim_stop",
    "my_account",
    "outbox",
    "outbox_mail",
    "my_agents",
    "password_login",
    "pay",
    "pay_paid",
    "pay_canceled",
    "image",
    "thumbnail",
    "stripe_webhook",
    "order",  # walked apart: it needs an order
}


def _call(client: Client, method: str, url: str) -> int:
    return client.generic(method, url).status_code


class TestAStranger:
    def test_finds_nothing_at_any_address_of_another_sponsor(
        self, agent: Signed, home: Home, other_sponsor: User, looking_as: LOOKS
    ) -> None:
        client = looking_as(other_sponsor)

        for method, url in addresses.of(agent, home):
            assert _call(client, method, url) == 404, (method, url)

    def test_changes_nothing_by_trying(
        self, agent: Signed, home: Home, other_sponsor: User, looking_as: LOOKS
    ) -> None:
        before = Agent.objects.values().get(pk=agent.agent.pk)
        client = looking_as(other_sponsor)

        for method, url in addresses.of(agent, home):
            _call(client, method, url)

        assert Agent.objects.values().get(pk=agent.agent.pk) == before
        assert Token.objects.filter(agent=agent.agent, revoked_at=None).count() == 1
        assert not AuditLine.objects.filter(user=other_sponsor).exists()

    def test_sees_only_their_own_agents_in_the_list(
        self, agent: Signed, home: Home, other_sponsor: User, looking_as: LOOKS
    ) -> None:
        answer = looking_as(other_sponsor).get(reverse("my_agents"))

        assert agent.id not in answer.text
        assert "other-agent" in answer.text


class TestNobody:
    def test_is_sent_to_sign_in_from_every_address(self, agent: Signed, home: Home) -> None:
        for method, url in addresses.of(agent, home):
            answer = Client().generic(method, url)

            assert answer.status_code == 302, (method, url)
            assert answer.headers["Location"].startswith(reverse("account_login")), url


class TestTheOwner:
    def test_sees_every_page(
        self, agent: Signed, home: Home, sponsor: User, looking_as: LOOKS
    ) -> None:
        client = looking_as(sponsor)

        for method, url in addresses.of(agent, home):
            if method == addresses.READ:
                assert _call(client, method, url) == 200, url


class TestTheWalk:
    def test_misses_no_address(self, agent: Signed, home: Home) -> None:
        walked = {get_resolver().resolve(url).url_name for _, url in addresses.of(agent, home)}
        known = {
            pattern.name
            for module in ("accounts.urls", "billing.views.urls", "jobs.views.urls", "billing.urls")
            for pattern in get_resolver(module).url_patterns
            if getattr(pattern, "name", None)
        }

        assert known - walked - _OPEN_TO_ALL == set()
