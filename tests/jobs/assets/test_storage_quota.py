"""The bytes that an organization stores: counted with each change, and held to a limit."""

import threading
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import connection

from accounts import suspension
from accounts.claims import decisions
from accounts.models import Agent, Organization, User
from jobs import notifications
from jobs.assets import removal, storage_quota
from jobs.models import Asset, Job, JobInput
from tests.billing.shop import at_once
from tests.caller import Caller
from tests.jobs.sample_images import noise, upload_of

pytestmark = pytest.mark.django_db

_LIMITS = {
    "unclaimed": "STORAGE_BYTES_PREVIEW",
    "payment_backed_unclaimed": "STORAGE_BYTES_PAYMENT_BACKED",
    "claimed": "STORAGE_BYTES_CLAIMED",
}
SKETCH = {"prompt": "a lighthouse", "model": "local.sketch"}


@pytest.fixture
def upload(api, agent):
    return lambda data: api.post("/v1/upload", token=agent.token, json=upload_of(data))


def stored(agent):
    return Organization.objects.get(pk=agent.organization.pk).stored_bytes


def files(settings):
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


class TestQuota:
    @pytest.mark.parametrize("state", _LIMITS)
    def test_shows_what_is_stored_and_the_limit_of_the_claim_state(
        self, api, agent, upload, settings, png, state
    ):
        setattr(settings, _LIMITS[state], 123_456_789)
        upload(png)
        Agent.objects.filter(pk=agent.agent.pk).update(claim_state=state)

        quota = api.get("/v1/quota", token=agent.token).data

        assert quota["storage"] == {"used_bytes": len(png), "limit_bytes": 123_456_789}


class TestUploads:
    def test_that_fit_to_the_byte_are_taken(self, upload, settings, png):
        settings.STORAGE_BYTES_PREVIEW = len(png)

        assert upload(png).status == 200

    def test_past_the_limit_are_refused_and_leave_nothing(self, agent, upload, settings, png):
        kept = files(settings)
        settings.STORAGE_BYTES_PREVIEW = len(png) - 1

        answer = upload(png)

        assert (answer.status, answer.code, answer.exit_code) == (402, "QUOTA_EXCEEDED", 5)
        assert "Delete images" in answer.error["message"]
        assert "sponsor" in answer.error["message"]
        suggested = answer.error["recovery"]["suggested_command"]
        assert suggested == "image-skill usage quota --json"
        assert not Asset.objects.exists()
        assert not Job.objects.exists()
        assert files(settings) == kept
        assert stored(agent) == 0

    def test_of_a_claimed_agent_hear_of_no_sponsor(self, agent, sponsor, upload, settings, png):
        settings.STORAGE_BYTES_CLAIMED = 1

        assert "sponsor" not in upload(png).error["message"]

    def test_that_only_grew_too_many_meanwhile_leave_nothing(
        self, upload, settings, monkeypatch, png
    ):
        kept = files(settings)
        settings.STORAGE_BYTES_PREVIEW = len(png) - 1
        monkeypatch.setattr(storage_quota, "check", lambda *_, **__: None)

        assert upload(png).code == "QUOTA_EXCEEDED"
        assert not Asset.objects.exists()
        assert files(settings) == kept

    @pytest.mark.django_db(transaction=True)
    def test_two_at_once_do_not_both_take_the_last_bytes(self, agent, settings, monkeypatch):
        images = [noise(), noise()]
        settings.STORAGE_BYTES_PREVIEW = max(map(len, images)) + 1
        meet = threading.Barrier(2, timeout=30)

        def both_see_room(agent, *, added_bytes=1):
            if added_bytes > 1:
                meet.wait()

        monkeypatch.setattr(storage_quota, "check", both_see_room)
        codes = []

        def send(data):
            try:
                body = upload_of(data)
                codes.append(Caller().post("/v1/upload", token=agent.token, json=body).code)
            finally:
                connection.close()

        threads = [threading.Thread(target=send, args=[data]) for data in images]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(codes, key=str) == [None, "QUOTA_EXCEEDED"]
        assert stored(agent) == Asset.objects.get().content_length


class TestJobs:
    def test_are_refused_where_nothing_is_left(self, api, agent, upload, settings, png):
        upload(png)
        settings.STORAGE_BYTES_PREVIEW = len(png)

        answer = api.post("/v1/create", token=agent.token, json=SKETCH)
        plan = api.post("/v1/create", token=agent.token, json=SKETCH | {"dry_run": True})

        assert answer.code == "QUOTA_EXCEEDED"
        assert "Delete images" in answer.error["message"]
        assert not Job.objects.exclude(operation="upload").exists()
        assert any("may store" in warning for warning in plan.envelope["warnings"])

    @pytest.mark.django_db(transaction=True)
    def test_under_way_deliver_past_the_limit(self, api, agent, drain, settings):
        settings.STORAGE_BYTES_PREVIEW = 1
        job_id = api.post("/v1/create", token=agent.token, json=SKETCH).data["job_id"]

        drain()

        assert api.get(f"/v1/jobs/{job_id}", token=agent.token).data["status"] == "completed"
        assert stored(agent) == Asset.objects.get().content_length > 1


class TestCount:
    def test_falls_when_the_bytes_are_gone(self, api, agent, upload, png):
        asset_id = upload(png).data["asset"]["asset_id"]
        other = upload(noise()).data["asset"]["content_length"]

        api.delete(f"/v1/assets/{asset_id}", token=agent.token)

        assert stored(agent) == other

    def test_falls_once(self, agent, upload, png):
        upload(png)
        asset = Asset.objects.get()

        removal.delete(asset)
        removal.delete(asset)
        asset.refresh_from_db()
        removal.delete(asset)

        assert stored(agent) == 0

    def test_follows_rows_that_are_written_in_bulk(self, agent, stranger, upload, png):
        upload(png)
        asset = Asset.objects.get()
        rows = [
            Asset(
                organization=one.organization,
                agent=one.agent,
                job=asset.job,
                index=index,
                kind="generated",
                mime_type="image/png",
                content_length=100,
                width=1,
                height=1,
                storage_key="x" if index < 4 else "",
            )
            for index, one in enumerate([agent, agent, stranger, stranger], start=1)
        ]

        Asset.objects.bulk_create(rows)
        assert (stored(agent), stored(stranger)) == (len(png) + 200, 100)

        Asset.objects.filter(index=1).update(content_length=40)
        assert stored(agent) == len(png) + 140

        Asset.objects.filter(index__gt=0).delete()
        assert (stored(agent), stored(stranger)) == (len(png), 0)


@pytest.mark.django_db(transaction=True)
class TestLocks:
    """Writing assets locks their organization; whoever locks agents as well goes around that."""

    @pytest.fixture
    def meet(self, monkeypatch):
        """Have a change of the agent wait for the organization before the asset is committed."""
        done = []

        def run(work, change, *, at):
            def change_agent():
                try:
                    change()
                    done.append(change)
                finally:
                    connection.close()

            other = threading.Thread(target=change_agent)
            publish = getattr(notifications, at)

            def publish_once_it_waits(*args, **named):
                other.start()
                until = time.monotonic() + 30
                while other.is_alive() and not _is_one_waiting() and time.monotonic() < until:
                    time.sleep(0.02)
                publish(*args, **named)

            monkeypatch.setattr(notifications, at, publish_once_it_waits)
            work()
            other.join(60)
            assert done == [change]

        return run

    @pytest.fixture(params=["claim", "pause"])
    def change(self, request, agent):
        if request.param == "claim":
            claim = agent.agent.claims.get()
            return lambda: decisions.decline(claim=claim, user=None)
        user = request.getfixturevalue("sponsor")
        return lambda: suspension.pause(agent=agent.agent, user=user)

    def test_an_upload_and_a_change_of_its_agent_wait_in_turn(self, meet, upload, change, png):
        answers = []

        meet(lambda: answers.append(upload(png)), change, at="publish_uploaded")

        assert answers[0].status == 200

    def test_a_job_and_a_change_of_its_agent_too(self, api, agent, drain, meet, change):
        job_id = api.post("/v1/create", token=agent.token, json=SKETCH).data["job_id"]

        meet(drain, change, at="publish_completed")

        assert Job.objects.get(public_id=job_id).status == "completed"

    def test_uploads_jobs_and_deletions_at_once_keep_the_count(self, api, agent, upload, settings):
        settings.STORAGE_BYTES_PREVIEW = 10**9
        images = [noise() for _ in range(6)]
        old = [upload(data).data["asset"]["asset_id"] for data in images[:3]]
        user = User.objects.create_user("other-sponsor@example.com")
        claim = agent.agent.claims.get()
        work = [
            *[partial(Caller().delete, f"/v1/assets/{one}", token=agent.token) for one in old],
            *[
                partial(Caller().post, "/v1/upload", token=agent.token, json=upload_of(data))
                for data in images[3:]
            ],
            partial(decisions.decline, claim=claim, user=user),
        ]

        results = at_once(*work)

        assert [getattr(one, "status", one) for one in results] == [200] * 6 + [None]
        assert stored(agent) == sum(map(len, images[3:]))


def _is_one_waiting():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


class TestUnusedUploads:
    @pytest.fixture(autouse=True)
    def _days(self, settings):
        settings.KEEP_UPLOADS_DAYS, settings.KEEP_UNUSED_UPLOADS_DAYS = 90, 30

    def test_say_so(self, api, agent, upload, png):
        asset_id = upload(png).data["asset"]["asset_id"]

        def days(document):
            created, expires = map(
                datetime.fromisoformat, (document["created_at"], document["expires_at"])
            )
            return (expires - created) / timedelta(days=1)

        def shown():
            asset = api.get(f"/v1/assets/{asset_id}", token=agent.token).data["asset"]
            [listed] = api.get("/v1/assets", token=agent.token).data["assets"]
            job = api.get(f"/v1/jobs/{asset['job_id']}", token=agent.token).data["job"]
            return [days(one) for one in (asset, listed, *job["assets"])]

        assert shown() == [30] * 3
        asset = Asset.objects.get()
        JobInput.objects.create(job=asset.job, asset=asset, role="input")
        assert shown() == [90] * 3
