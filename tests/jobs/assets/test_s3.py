"""Images on S3 instead of files: the same answers, and neither bucket nor key shown."""

import copy
import io
import socket
import threading
import time

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from moto.server import ThreadedMotoServer

from imageskill.lib import s3 as s3_storage
from jobs.assets import storage
from jobs.models import Asset
from tests.jobs.sample_images import noise, upload_of

BUCKET = "images-of-tests"


@pytest.fixture
def s3(settings):
    """A bucket on a server that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    access = {
        "endpoint_url": f"http://{host}:{port}",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
        "region_name": "us-east-1",
    }
    client = boto3.client("s3", **access)
    client.create_bucket(Bucket=BUCKET)
    storages = copy.deepcopy(settings.STORAGES)
    storages["default"] = {
        "BACKEND": "imageskill.lib.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": BUCKET,
            "endpoint_url": access["endpoint_url"],
            "region_name": "us-east-1",
            "access_key": "test",
            "secret_key": "test",
            "file_overwrite": True,
            "default_acl": None,
        },
    }
    staging = storages["default"]["OPTIONS"] | {"location": "kept"}
    storages["kept"] = storages["default"] | {"OPTIONS": staging}
    settings.STORAGES = storages
    yield client
    _empty(client)
    server.stop()


def _empty(client):
    """The server's memory outlives it."""
    for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=one["Key"])


class TestS3:
    def test_picture_passes_through_us(self, transactional_db, s3, api, agent, client, drain):
        data = noise()
        url = api.post("/v1/upload", token=agent.token, json=upload_of(data)).data["asset"]["url"]
        path = "/a/" + url.rpartition("/")[2]

        whole = client.get(path)
        part = client.get(path, headers={"Range": "bytes=10-19"})

        assert b"".join(whole.streaming_content) == data
        assert b"".join(part.streaming_content) == data[10:20]
        assert part.status_code == 206
        assert BUCKET not in str(whole.headers)
        drain()
        assert Asset.objects.get().verdict.is_good

    def test_made_picture_is_stored_and_deleted_there(
        self, transactional_db, s3, api, agent, client, drain
    ):
        body = {"prompt": "a lighthouse", "model": "local.sketch"}
        api.post("/v1/create", token=agent.token, json=body)
        drain()
        asset = Asset.objects.get()
        assert client.get(f"/a/{asset.public_id}.{asset.extension}").status_code == 200

        api.delete(f"/v1/assets/{asset.public_id}", token=agent.token)

        assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)

    def test_bucket_that_is_gone_is_a_storage_failure(
        self, transactional_db, s3, api, agent, drain
    ):
        s3.delete_bucket(Bucket=BUCKET)

        answer = api.post("/v1/upload", token=agent.token, json=upload_of(noise()))

        assert answer.code == "SERVICE_UNAVAILABLE"
        assert BUCKET not in str(answer.envelope)
        assert not Asset.objects.exists()
        s3.create_bucket(Bucket=BUCKET)

    def test_an_output_waits_in_the_bucket_for_any_worker(self, s3):
        storage.stage("job_1-0", io.BytesIO(b"an output"))
        storage.write("assets/aa/image_aa.png", io.BytesIO(b"an image"))
        assert s3.get_object(Bucket=BUCKET, Key="kept/job_1-0")["Body"].read() == b"an output"
        assert storage.list_staged() == {"job_1-0": "job_1"}
        with storage.open_staged("job_1-0") as file:
            assert file.read() == b"an output"
        storage.discard_staged("job_1-0")
        assert storage.list_staged() == {}

    def test_an_output_outlasts_an_outage_of_the_bucket(self, s3, settings, monkeypatch):
        settings.STAGING_RETRY_S = 60
        pauses = []

        def back_again(seconds):
            pauses.append(seconds)
            s3.create_bucket(Bucket=BUCKET)

        monkeypatch.setattr(storage.time, "sleep", back_again)
        s3.delete_bucket(Bucket=BUCKET)
        storage.stage("job_1-0", io.BytesIO(b"an output"))
        assert len(pauses) == 1
        assert storage.list_staged() == {"job_1-0": "job_1"}


class TestThreads:
    def test_share_one_client(self, s3):
        bucket = storages["default"]
        clients = []
        threads = [
            threading.Thread(target=lambda: clients.append(bucket.connection.meta.client))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(clients) == 8
        assert len(set(map(id, clients))) == 1

    def test_a_bucket_that_never_answers_fails_in_time(self, monkeypatch):
        monkeypatch.setattr(s3_storage, "READ_TIMEOUT_S", 0.3)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent_bucket = s3_storage.S3Storage(
                bucket_name=BUCKET,
                endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}",
                region_name="us-east-1",
                access_key="test",
                secret_key="test",
            )
            began = time.monotonic()
            with pytest.raises(ReadTimeoutError):
                silent_bucket.save("a", ContentFile(b"a"))

        assert time.monotonic() - began < 10


class TestFolder:
    def test_what_waits_in_one_is_its_users_alone(self, settings, tmp_path):
        storages_ = copy.deepcopy(settings.STORAGES)
        storages_["kept"]["OPTIONS"]["location"] = tmp_path / "kept"
        settings.STORAGES = storages_
        assert storage.list_staged() == {}
        storage.stage("job_1-0", io.BytesIO(b"an output"))
        modes = [
            path.stat().st_mode & 0o777 for path in (tmp_path / "kept", tmp_path / "kept/job_1-0")
        ]
        assert modes == [0o700, 0o600]
