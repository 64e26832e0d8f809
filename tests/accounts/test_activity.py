"""Activity: only registered types, found by every id they link, read by their owner alone."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from accounts import activity
from accounts.models import ActivityEvent

pytestmark = pytest.mark.django_db


def _uploaded(who, job="job_1", *, cost=None, **links):
    event = activity.event(
        type="asset.uploaded",
        organization_id=who.organization.pk,
        agent_id=who.agent.pk,
        subject_id="image_1",
        operation="upload",
        summary="Image uploaded",
        status="completed",
        links={"job_id": job, "asset_ids": ["image_1"], **links},
        cost=cost,
        trace_id="trace_" + "0" * 32,
    )
    activity.record(event)
    return event


class TestRecord:
    def test_every_stable_link_is_present(self, agent):
        event = _uploaded(agent)
        assert event.links == {
            "job_id": "job_1",
            "asset_ids": ["image_1"],
            "usage_event_id": None,
        }

    def test_dollars_stay_exact_and_are_a_number_outside(self, client, agent):
        dollars = Decimal("0.1234567890123456789")
        _uploaded(agent, cost={"estimated_usd": dollars, "credits": 12})

        assert ActivityEvent.objects.get().cost == {"estimated_usd": dollars, "credits": 12}
        answer = client.get("/v1/activity", headers={"Authorization": f"Bearer {agent.token}"})
        assert '"estimated_usd":0.1234567890123456789' in answer.text

    def test_a_type_outside_the_registry_is_refused(self, agent):
        with pytest.raises(KeyError):
            activity.record(
                activity.event(
                    type="job.planned",
                    organization_id=agent.organization.pk,
                    agent_id=None,
                    subject_id="job_1",
                    operation="create",
                    summary="",
                    status="",
                    links={},
                )
            )

    def test_a_foreign_link_is_refused(self, agent):
        with pytest.raises(ValueError, match="quote_id"):
            _uploaded(agent, quote_id="quote_1")

    def test_nobody_changes_or_deletes_an_event(self, agent):
        event = _uploaded(agent)
        for change in (
            lambda: ActivityEvent.objects.filter(pk=event.pk).update(summary="other"),
            event.delete,
        ):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                change()


class TestReading:
    def test_an_event_is_found_by_each_of_its_ids(self, api, agent):
        event = _uploaded(agent)
        for reference in (event.public_id, "job_1", "image_1", "trace_" + "0" * 32):
            answer = api.get(f"/v1/activity/{reference}", token=agent.token)
            assert [one["event_id"] for one in answer.data["events"]] == [event.public_id]

    def test_a_stranger_finds_nothing(self, api, agent, stranger):
        event = _uploaded(agent)
        assert api.get("/v1/activity", token=stranger.token).data["events"] == []
        for reference in (event.public_id, "job_1"):
            answer = api.get(f"/v1/activity/{reference}", token=stranger.token)
            assert (answer.status, answer.code) == (404, "NOT_FOUND")

    def test_cursors_walk_the_whole_list_once(self, api, agent):
        made = [_uploaded(agent, job=f"job_{number}").public_id for number in range(5)]
        seen, cursor = [], ""
        while cursor is not None:
            page = api.get(f"/v1/activity?limit=2{cursor}", token=agent.token).data
            seen += [event["event_id"] for event in page["events"]]
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        assert seen == made[::-1]

    @pytest.mark.parametrize("limit", ["0", "101", "x", "1.5"])
    def test_a_limit_out_of_range_is_refused(self, api, agent, limit):
        answer = api.get(f"/v1/activity?limit={limit}", token=agent.token)
        assert (answer.status, answer.error["details"][0]["field"]) == (422, "limit")

    def test_a_page_takes_two_statements(self, api, agent, django_assert_max_num_queries):
        api.get("/v1/activity", token=agent.token)
        for number in range(20):
            _uploaded(agent, job=f"job_{number}")
        with django_assert_max_num_queries(2):
            api.get("/v1/activity", token=agent.token)
