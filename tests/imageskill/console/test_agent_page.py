"""The agent page: everything that is known, now and as of a past moment."""

from datetime import timedelta

import pytest
from django.urls import reverse

from billing import ledger
from imageskill.lib import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def page_of(signed_in, supporter):
    browser = signed_in(supporter)

    def get(agent, query=""):
        url = reverse("admin:accounts_agent_change", args=[agent.agent.pk])
        return browser.get(url + query)

    return get


class TestAgentPage:
    def test_it_shows_balances_and_the_way_to_what_can_be_done(self, page_of, agent):
        page = page_of(agent).content.decode()
        assert "<span>preview</span><strong>40</strong>" in page
        assert reverse("admin:accounts_agent_deed", args=[agent.agent.pk, "suspend"]) in page

    def test_it_shows_how_it_was_before(self, page_of, agent):
        before = clock.now()
        ledger.hold(organization_id=agent.organization.pk, job_id="job_1", credits=9, actor="test")
        then = (before + timedelta(minutes=-1)).strftime("%Y-%m-%dT%H:%M")
        facts = page_of(agent, f"?as_of={then}").context_data["facts"]
        assert {one.purpose: one.credits for one in facts["balances"]}["preview"] == 0
        facts = page_of(agent).context_data["facts"]
        assert {one.purpose: one.credits for one in facts["balances"]}["held"] == 9

    def test_a_moment_that_is_none_is_said(self, page_of, agent):
        assert "no moment" in page_of(agent, "?as_of=yesterday").content.decode()

    def test_names_from_outside_are_escaped(self, page_of, agent):
        type(agent.agent).objects.filter(pk=agent.agent.pk).update(name="<script>x</script>")
        assert "<script>x</script>" not in page_of(agent).content.decode()

    def test_it_takes_few_statements(self, page_of, agent, django_assert_max_num_queries):
        page_of(agent)
        with django_assert_max_num_queries(25):
            page_of(agent)
