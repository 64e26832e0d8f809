"""How long things are kept: each by its own setting."""

import io
import os
from datetime import timedelta

import pytest

from accounts.models import Alert, TelemetryRow
from imageskill.lib import clock
from jobs.assets import retention, storage
from jobs.models import Asset, Job, JobInput, Prompt
from tests.jobs.sample_images import noise, upload_of


def days_ago(days):
    return clock.now() - timedelta(days=days)


@pytest.fixture
def upload(transactional_db, api, agent):
    data = api.post("/v1/upload", token=agent.token, json=upload_of(noise())).data
    return Asset.objects.get(public_id=data["asset"]["asset_id"])


@pytest.fixture
def job_id(transactional_db, api, agent):
    body = {"prompt": "a lighthouse", "model": "local.sketch"}
    return api.post("/v1/create", token=agent.token, json=body).data["job_id"]


class TestPrompts:
    def test_go_after_their_time(self, job_id, drain, settings):
        drain()
        settings.KEEP_PROMPTS_DAYS = 10
        Prompt.objects.update(created_at=days_ago(9))
        retention.enforce()
        assert Prompt.objects.exists()
        Prompt.objects.update(created_at=days_ago(11))

        retention.enforce()

        assert not Prompt.objects.exists()
        assert Job.objects.exists()

    def test_stay_while_their_job_needs_them(self, job_id):
        Prompt.objects.update(created_at=days_ago(1000))

        retention.enforce()

        assert Prompt.objects.exists()


class TestUploads:
    def test_go_after_their_time(self, upload, client, settings):
        settings.KEEP_UPLOADS_DAYS = 10
        retention.enforce()
        assert client.get(f"/a/{upload.public_id}.png").status_code == 200
        Asset.objects.update(created_at=days_ago(11))

        assert retention.enforce()["uploads"] == 1

        assert client.get(f"/a/{upload.public_id}.png").status_code == 410
        assert Asset.objects.get().storage_key == ""

    def test_that_no_job_has_used_go_earlier(self, upload, job_id, drain, settings):
        settings.KEEP_UPLOADS_DAYS, settings.KEEP_UNUSED_UPLOADS_DAYS = 10, 5
        drain()
        use = JobInput.objects.create(
            job=Job.objects.get(public_id=job_id), asset=upload, role="input"
        )
        Asset.objects.filter(pk=upload.pk).update(created_at=days_ago(6))
        assert retention.enforce()["uploads"] == 0
        use.delete()

        assert retention.enforce()["uploads"] == 1

    def test_are_kept_no_longer_unused_than_used(self, upload, settings):
        settings.KEEP_UPLOADS_DAYS, settings.KEEP_UNUSED_UPLOADS_DAYS = 10, 50
        upload.is_used = False

        assert retention.expires_at(upload) == upload.created_at + timedelta(days=10)

    def test_stay_while_a_job_needs_them(self, upload, job_id):
        Asset.objects.update(created_at=days_ago(1000))
        JobInput.objects.create(job=Job.objects.get(public_id=job_id), asset=upload, role="input")

        retention.enforce()

        assert Asset.objects.get().is_available

    def test_bytes_that_could_not_go_at_once_go_at_night(self, upload):
        Asset.objects.update(state=Asset.State.DELETED)

        retention.enforce()

        assert Asset.objects.get().storage_key == ""

    def test_generated_pictures_stay(self, job_id, drain):
        drain()
        Asset.objects.update(created_at=days_ago(10_000))

        retention.enforce()

        assert Asset.objects.get().is_available


class TestTelemetry:
    def test_goes_after_its_time(self, db, settings):
        settings.KEEP_TELEMETRY_DAYS = 5
        for days in (4, 6):
            TelemetryRow.objects.create(
                at=days_ago(days), kind="request", name="x", api_version="1", actor_type="agent"
            )

        assert retention.enforce()["telemetry"] == 1

        assert TelemetryRow.objects.count() == 1


class TestMails:
    def test_what_they_said_goes_after_its_time(self, sponsor, settings, tmp_path):
        settings.KEEP_MAILS_DAYS = 5
        settings.EMAIL_FILE_PATH = tmp_path
        for days in (4, 6):
            moment = days_ago(days)
            alert = Alert.objects.create(
                key=str(days), kind="claimed", user=sponsor, subject="agt_x", facts={"agent": "x"}
            )
            Alert.objects.filter(pk=alert.pk).update(created_at=moment, mailed_at=moment)
            file = tmp_path / f"{days}.log"
            file.write_text("a mail")
            os.utime(file, (moment.timestamp(), moment.timestamp()))

        assert retention.enforce()["mails"] == 2

        assert Alert.objects.get(key="6").facts == {}
        assert Alert.objects.get(key="4").facts == {"agent": "x"}
        assert [file.name for file in tmp_path.iterdir()] == ["4.log"]


class TestKeptOutputs:
    def test_those_of_ended_jobs_go(self, job_id, drain):
        storage.stage(storage.staging_key(job_id, 0), io.BytesIO(b"waits"))
        assert retention.enforce()["staged_outputs"] == 0
        drain()
        storage.stage(storage.staging_key(job_id, 0), io.BytesIO(b"left over"))

        assert retention.enforce()["staged_outputs"] == 1

        assert storage.list_staged() == {}
