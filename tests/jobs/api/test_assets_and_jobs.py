"""Reading, listing, deleting and canceling, each anonymous, as a stranger, and rightly."""

import datetime as dt

import pytest

from billing import ledger
from jobs import states
from jobs.models import Asset, Job
from jobs.running import hold_checks, lifecycle
from tests.jobs.sample_images import noise, upload_of


@pytest.fixture
def asset_id(transactional_db, api, agent):
    return api.post("/v1/upload", token=agent.token, json=upload_of(noise())).data["asset"][
        "asset_id"
    ]


@pytest.fixture
def job_id(transactional_db, api, agent):
    body = {"prompt": "a lighthouse", "model": "local.sketch"}
    return api.post("/v1/create", token=agent.token, json=body).data["job_id"]


class TestShowAsset:
    def test_gives_its_facts(self, api, agent, asset_id):
        data = api.get(f"/v1/assets/{asset_id}", token=agent.token).data

        assert data["request"] == {"reference": asset_id, "reference_type": "asset_id"}
        assert data["asset"]["source"] == "hosted_metadata"
        assert data["asset"]["job_id"].startswith("job_")

    def test_an_upload_says_when_it_goes_and_an_output_stays(
        self, api, agent, asset_id, job_id, drain, settings
    ):
        settings.KEEP_UNUSED_UPLOADS_DAYS = 30
        upload = api.get(f"/v1/assets/{asset_id}", token=agent.token).data["asset"]
        kept = dt.datetime.fromisoformat(upload["expires_at"]) - dt.datetime.fromisoformat(
            upload["created_at"]
        )
        assert kept == dt.timedelta(days=30)
        drain()
        job = api.get(f"/v1/jobs/{job_id}", token=agent.token).data
        assert [asset["expires_at"] for asset in job["assets"]] == [None]

    def test_needs_few_statements(self, api, agent, asset_id, django_assert_max_num_queries):
        api.get("/v1/whoami", token=agent.token)
        with django_assert_max_num_queries(4):
            api.get(f"/v1/assets/{asset_id}", token=agent.token)

    def test_anonymous_is_refused(self, api, asset_id):
        assert api.get(f"/v1/assets/{asset_id}").code == "AUTH_REQUIRED"

    def test_stranger_finds_nothing(self, api, stranger, asset_id):
        assert api.get(f"/v1/assets/{asset_id}", token=stranger.token).code == "NOT_FOUND"

    @pytest.mark.parametrize("name", ["image_x", "nonsense", "%00", "a" * 300])
    def test_unknown_is_not_found(self, api, agent, name):
        assert api.get(f"/v1/assets/{name}", token=agent.token).code == "NOT_FOUND"


class TestListAssets:
    def test_pages_newest_first(self, api, agent, transactional_db):
        made = [
            api.post("/v1/upload", token=agent.token, json=upload_of(noise())).data["asset"]
            for _ in range(3)
        ]

        first = api.get("/v1/assets?limit=2", token=agent.token).data
        rest = api.get(f"/v1/assets?limit=2&cursor={first['next_cursor']}", token=agent.token).data

        found = [one["asset_id"] for one in first["assets"] + rest["assets"]]
        assert found == [one["asset_id"] for one in reversed(made)]
        assert rest["next_cursor"] is None

    def test_stranger_sees_none(self, api, stranger, asset_id):
        assert api.get("/v1/assets", token=stranger.token).data["assets"] == []

    def test_foreign_cursor_gives_nothing_foreign(self, api, stranger, asset_id):
        answer = api.get(f"/v1/assets?cursor={asset_id}", token=stranger.token)

        assert answer.code == "INVALID_ARGUMENTS"

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=nonsense"])
    def test_bad_query_is_refused(self, api, agent, query):
        assert api.get(f"/v1/assets?{query}", token=agent.token).code == "INVALID_ARGUMENTS"

    def test_unknown_query_is_ignored(self, api, agent):
        assert api.get("/v1/assets?nonsense=1", token=agent.token).status == 200


class TestDeleteAsset:
    def test_is_gone_everywhere(self, api, agent, asset_id, client):
        url = api.get(f"/v1/assets/{asset_id}", token=agent.token).data["asset"]["url"]

        answer = api.delete(f"/v1/assets/{asset_id}", token=agent.token)

        assert answer.data == {"asset_id": asset_id, "state": "deleted"}
        assert api.delete(f"/v1/assets/{asset_id}", token=agent.token).data == answer.data
        assert api.get(f"/v1/assets/{asset_id}", token=agent.token).code == "NOT_FOUND"
        assert client.get("/a/" + url.rpartition("/")[2]).status_code == 410
        assert Asset.objects.get().storage_key == ""

    def test_what_staff_withdrew_stays_as_it_is(self, api, agent, asset_id):
        Asset.objects.update(state=Asset.State.QUARANTINED)

        assert api.delete(f"/v1/assets/{asset_id}", token=agent.token).code == "NOT_FOUND"
        assert Asset.objects.get().state == Asset.State.QUARANTINED

    def test_stranger_deletes_nothing(self, api, stranger, asset_id):
        assert api.delete(f"/v1/assets/{asset_id}", token=stranger.token).code == "NOT_FOUND"
        assert Asset.objects.get().is_available


class TestShowJob:
    def test_repeats_at_the_top_what_callers_look_for(self, api, agent, job_id, drain):
        drain()

        data = api.get(f"/v1/jobs/{job_id}", token=agent.token).data

        assert data["status"] == data["state"] == data["job"]["status"] == "completed"
        assert data["assets"] == data["job"]["assets"]
        assert data["cost"] == data["job"]["cost"]
        assert data["job"]["capability"]["id"].startswith("is.image.generate.")

    def test_needs_few_statements(self, api, agent, job_id, drain, django_assert_max_num_queries):
        drain()
        api.get("/v1/whoami", token=agent.token)
        with django_assert_max_num_queries(4):
            api.get(f"/v1/jobs/{job_id}", token=agent.token)

    def test_provenance_takes_the_grant(self, api, agent, job_id):
        address = f"/v1/jobs/{job_id}?provenance=1"
        assert api.get(address, token=agent.token).code == "CAPABILITY_DENIED"

        agent.agent.grants.append("provenance.read")
        agent.agent.save()

        job = api.get(address, token=agent.token).data["job"]
        assert job["provenance"] == {"provider_id": "local", "model_id": "local.sketch"}
        plain = api.get(f"/v1/jobs/{job_id}", token=agent.token).data["job"]
        assert "provenance" not in plain

    def test_anonymous_is_refused(self, api, job_id):
        assert api.get(f"/v1/jobs/{job_id}").code == "AUTH_REQUIRED"

    def test_stranger_finds_nothing(self, api, stranger, job_id):
        assert api.get(f"/v1/jobs/{job_id}", token=stranger.token).code == "NOT_FOUND"

    def test_upload_has_a_job_too(self, api, agent, asset_id):
        asset = api.get(f"/v1/assets/{asset_id}", token=agent.token).data["asset"]

        job = api.get(f"/v1/jobs/{asset['job_id']}", token=agent.token).data["job"]

        assert (job["operation"], job["status"], job["cost"]) == ("upload", "completed", None)


class TestListJobs:
    def test_pages_newest_first(self, api, agent, job_id, asset_id):
        first = api.get("/v1/jobs?limit=1", token=agent.token).data
        rest = api.get(f"/v1/jobs?cursor={first['next_cursor']}", token=agent.token).data

        assert [job["operation"] for job in first["jobs"] + rest["jobs"]] == ["upload", "create"]
        assert rest["next_cursor"] is None

    def test_stranger_sees_none(self, api, stranger, job_id):
        assert api.get("/v1/jobs", token=stranger.token).data["jobs"] == []


class TestCancelJob:
    def test_queued_is_canceled_and_its_credits_come_back(self, api, agent, job_id, drain):
        answer = api.post(f"/v1/jobs/{job_id}/cancel", token=agent.token)

        assert answer.data["job"]["status"] == "canceled"
        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)
        drain()
        assert Job.objects.get().status == states.CANCELED
        assert not list(hold_checks.problems())

    def test_keeps_the_slot_of_the_day_used(self, api, agent, job_id):
        api.post(f"/v1/jobs/{job_id}/cancel", token=agent.token)

        assert api.get("/v1/quota", token=agent.token).data["daily_jobs"]["used"] == 1

    def test_running_is_canceled_too(self, api, agent, job_id):
        lifecycle.start(Job.objects.get(), lease="worker")

        answer = api.post(f"/v1/jobs/{job_id}/cancel", token=agent.token)

        assert answer.data["job"]["status"] == "canceled"

    def test_completed_is_a_conflict(self, api, agent, job_id, drain):
        drain()

        answer = api.post(f"/v1/jobs/{job_id}/cancel", token=agent.token)

        assert answer.status == 409
        assert ledger.balances(agent.organization.pk).preview == 39

    def test_unknown_outcome_is_a_conflict(self, api, agent, job_id):
        lifecycle.start(Job.objects.get(), lease="worker")
        lifecycle.mark_outcome_unknown(Job.objects.get())

        assert api.post(f"/v1/jobs/{job_id}/cancel", token=agent.token).status == 409
        assert ledger.balances(agent.organization.pk).held == 1

    def test_stranger_cancels_nothing(self, api, stranger, job_id):
        assert api.post(f"/v1/jobs/{job_id}/cancel", token=stranger.token).code == "NOT_FOUND"
        assert Job.objects.get().status == states.QUEUED
