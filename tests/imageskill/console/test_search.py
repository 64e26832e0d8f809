"""One box that leads to the page of whatever is pasted."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(signed_in, supporter):
    browser = signed_in(supporter)

    def post(text):
        return browser.post(reverse("admin:console_search"), {"q": text})

    return post


class TestSearch:
    def test_an_agent_is_found_by_id_and_by_token(self, ask, agent):
        page = reverse("admin:accounts_agent_change", args=[agent.agent.pk])
        assert ask(agent.id)["Location"] == page
        assert ask(f"  {agent.token} ")["Location"] == page

    def test_a_contact_and_a_network_lead_to_their_agents(self, ask, agent):
        assert "contact=agent-ops%40example.com" in ask("Agent-Ops@example.com")["Location"]
        assert "signup_network=192.0.2.1" in ask("192.0.2.1")["Location"]

    @pytest.mark.parametrize("text", ["agt_nobody", "isk_r_nothing", "?", "", "x@example.com"])
    def test_what_is_not_there_is_said_and_not_repeated(self, ask, text):
        answer = ask(text)
        assert answer.status_code == 200
        assert "No results" in answer.content.decode()
        assert not text or f'value="{text}"' not in answer.content.decode()

    def test_the_lists_it_leads_to_open(self, signed_in, supporter, ask, agent):
        browser = signed_in(supporter)
        for text in ("agent-ops@example.com", "192.0.2.1"):
            assert agent.agent.name in browser.get(ask(text)["Location"]).content.decode()


class TestPolicy:
    def test_the_console_has_a_policy_of_its_own(self, signed_in, supporter):
        policy = signed_in(supporter).get("/admin/")["Content-Security-Policy"]
        assert "unsafe-eval" in policy
        assert "default-src 'none'" in policy
