"""A list says what its address narrows it to, and offers the way back to all."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from accounts.models import ActivityEvent, Token
from jobs.models import Asset, Job
from tests.cast import sign_up

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lists(signed_in, supporter):
    browser = signed_in(supporter)

    def get(model, **query):
        opts = model._meta
        name = f"admin:{opts.app_label}_{opts.model_name}_changelist"
        return browser.get(reverse(name, query=query))

    return get


class TestNarrowing:
    def test_an_agents_rows_are_listed_under_its_name_with_the_way_to_all(self, lists, agent):
        sign_up(name="other-agent", contact="other-ops@example.com")
        page = lists(Token, agent__id__exact=agent.agent.pk, revoked_because__exact="")
        changelist = page.context_data["cl"]
        assert [token.agent_id for token in changelist.result_list] == [agent.agent.pk]
        [narrowing] = changelist.active_filters
        assert narrowing.label == "agent"
        assert reverse("admin:accounts_agent_change", args=[agent.agent.pk]) in narrowing.value
        assert "agent__id" not in narrowing.without
        assert "revoked_because" in narrowing.without
        assert 'aria-label="Remove the filter agent"' in page.content.decode()

    def test_what_a_filter_shows_is_not_said_twice(self, lists, agent):
        assert not lists(Job, status__exact="failed").context_data["cl"].active_filters

    def test_other_conditions_are_said_as_they_are_and_escaped(self, lists, agent):
        page = lists(Job, provider_id="<b>fal")
        [narrowing] = page.context_data["cl"].active_filters
        assert (narrowing.label, narrowing.value) == ("provider", "<b>fal")
        assert "&lt;b&gt;fal" in page.content.decode()

    def test_an_agent_that_is_not_there_leads_to_an_empty_list(self, lists):
        page = lists(Token, agent__id__exact=987654)
        assert page.status_code == 200
        assert page.context_data["cl"].active_filters[0].value == "no. 987654"


class TestSearchingByOwner:
    def test_an_agents_id_finds_its_rows_and_no_others(self, lists, agent, stranger):
        rows = lists(ActivityEvent, q=agent.id).context_data["cl"].queryset
        assert str(rows.query).count("SELECT") == 1  # straight by the agent's index
        assert {event.agent_id for event in rows} <= {agent.agent.pk}
        tokens = lists(Token, q=agent.id).context_data["cl"].result_list
        assert [token.agent_id for token in tokens] == [agent.agent.pk]

    def test_an_unknown_id_finds_nothing(self, lists, agent):
        assert not lists(Token, q="agt_unknown").context_data["cl"].result_list


class TestJobsOfAnAgent:
    @pytest.fixture
    def job(self, api, agent, drain, settings):
        settings.CREATE_WAIT_S = 0
        made = api.post(
            "/v1/create", json={"prompt": "a pier", "model": "local.sketch"}, token=agent.token
        )
        drain()
        return Job.objects.get(public_id=made.data["job_id"])

    @pytest.mark.parametrize("model", [Job, Asset])
    def test_they_are_found_by_the_agents_and_the_organizations_id(
        self, lists, agent, stranger, job, model
    ):
        for signed, count in ((agent, 1), (stranger, 0)):
            for text in (signed.id, signed.organization.public_id):
                assert len(lists(model, q=text).context_data["cl"].result_list) == count

    def test_they_are_filtered_by_day_error_and_operation(self, lists, job):
        def found(**query):
            return list(lists(Job, **query).context_data["cl"].result_list)

        Job.objects.filter(pk=job.pk).update(
            created_at=datetime(2026, 2, 10, 23, 59, tzinfo=UTC),
            status="failed",
            credits_captured=None,
            error_code="PROVIDER_FAILED",
        )
        assert found(created_at__gte="2026-02-10", created_at__lt="2026-02-11")
        assert not found(created_at__lt="2026-02-10")
        assert not found(created_at__gte="2026-02-11")
        assert found(created_at__gte="no day")
        assert found(error_code="PROVIDER_FAILED", operation__exact="create")
        assert not found(operation__exact="upload")

    def test_the_filters_offer_what_is_there_and_keep_each_other(self, lists, job):
        Job.objects.filter(pk=job.pk).update(
            status="failed", credits_captured=None, error_code="PROVIDER_FAILED"
        )
        page = lists(Job, operation__exact="create", created_at__gte="2026-02-10")
        text = page.content.decode()
        assert 'title="PROVIDER_FAILED"' in text
        assert '<input type="hidden" name="operation__exact" value="create">' in text
        assert '<input type="date" name="created_at__gte" value="2026-02-10">' in text
        assert not page.context_data["cl"].active_filters
