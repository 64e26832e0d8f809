"""Uploading images: what is said of the bytes is held against them, and they are opened."""

import hashlib
import json
import threading

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import ActivityEvent, Agent
from billing import ledger
from jobs.assets import uploads
from jobs.models import Asset, Job, Upload
from tests.jobs import image_kinds
from tests.jobs.sample_images import SECRET, exif, noise, upload_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def upload(api, agent):
    return lambda body, token=None: api.post("/v1/upload", token=token or agent.token, json=body)


class TestUpload:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
    def test_takes_each_format_and_serves_it_byte_for_byte(self, upload, client, kind):
        data = noise(kind)
        mime_type = f"image/{kind.lower()}"

        answer = upload(upload_of(data, mime_type=mime_type))

        asset = answer.data["asset"]
        assert asset["kind"] == "uploaded"
        assert (asset["mime_type"], asset["content_length"]) == (mime_type, len(data))
        assert (asset["width"], asset["height"]) == (640, 480)
        assert answer.data["upload"] == {
            "bytes": len(data),
            "mime_type": mime_type,
            "sha256": hashlib.sha256(data).hexdigest(),
            "policy": {"status": "allowed"},
        }
        served = client.get("/a/" + asset["url"].rpartition("/")[2])
        assert b"".join(served.streaming_content) == data

    def test_takes_metadata_away_and_says_both_lengths(self, upload, client):
        data = noise("JPEG", exif=exif(orientation=6))

        answer = upload(upload_of(data, mime_type="image/jpeg"))

        asset = answer.data["asset"]
        assert answer.data["upload"]["bytes"] == len(data)
        assert asset["content_length"] < len(data)
        assert (asset["width"], asset["height"]) == (480, 640)
        served = b"".join(client.get("/a/" + asset["url"].rpartition("/")[2]).streaming_content)
        assert SECRET not in served
        assert hashlib.sha256(served).hexdigest() == asset["sha256"]
        assert Upload.objects.get().had_metadata

    @pytest.mark.parametrize("make", [image_kinds.mpo, image_kinds.gain_map])
    def test_keeps_the_first_of_several_images_and_says_so(self, upload, make):
        answer = upload(upload_of(make(), mime_type="image/jpeg"))

        asset = answer.data["asset"]
        assert (asset["width"], asset["height"]) == image_kinds.SIDES
        assert "only the first was kept" in answer.envelope["warnings"][-1]

    def test_says_nothing_of_other_data_behind_an_image(self, upload):
        answer = upload(upload_of(noise("JPEG") + SECRET, mime_type="image/jpeg"))

        assert answer.data["asset"]["kind"] == "uploaded"
        assert not any("first" in warning for warning in answer.envelope["warnings"])

    def test_tells_of_it_and_costs_nothing(self, upload, agent, png):
        asset = upload(upload_of(png)).data["asset"]

        [event] = ActivityEvent.objects.filter(references__contains=[asset["asset_id"]])
        assert event.type == "asset.uploaded"
        assert event.links == {
            "job_id": asset["job_id"],
            "asset_ids": [asset["asset_id"]],
            "usage_event_id": None,
        }
        assert ledger.balances(agent.organization.pk) == (40, 0, 0, 0)

    def test_keeps_the_base_name_and_the_origin_only(self, upload, png):
        body = upload_of(
            png,
            source_kind="remote_url",
            filename="/home/me/secret/one.png",
            remote_origin="https://user:pw@Example.com:8443/private?token=1",
        )

        assert upload(body).data["request"] == {
            "source_kind": "remote_url",
            "filename": "one.png",
            "remote_origin": "https://example.com:8443",
        }

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"mime_type": "image/jpeg"}, "INPUT_POLICY_DENIED"),
            ({"mime_type": "image/svg+xml"}, "INPUT_POLICY_DENIED"),
            ({"content_length": 7}, "INPUT_POLICY_DENIED"),
            ({"sha256": "0" * 64}, "INPUT_POLICY_DENIED"),
            ({"sha256": "short"}, "INVALID_ARGUMENTS"),
            ({"bytes_base64": "!!!"}, "INVALID_ARGUMENTS"),
            ({"bytes_base64": ""}, "INPUT_POLICY_DENIED"),
            ({"source_kind": "elsewhere"}, "INVALID_ARGUMENTS"),
            ({"remote_origin": "ftp://example.com"}, "INVALID_ARGUMENTS"),
            ({"remote_origin": "https://[::1"}, "INVALID_ARGUMENTS"),
            ({"content_length": True}, "INVALID_ARGUMENTS"),
            ({"nonsense": 1}, "INVALID_ARGUMENTS"),
        ],
    )
    def test_refuses_and_keeps_nothing(self, upload, png, changes, code):
        answer = upload(upload_of(png, **changes))

        assert answer.code == code
        assert not Asset.objects.exists()
        assert not Job.objects.exists()

    @pytest.mark.parametrize(
        "data",
        [
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"%PDF-1.7",
            b"GIF89a",
            b"\x89PNG\r\n\x1a\n",
        ],
    )
    def test_refuses_what_is_no_picture(self, upload, data):
        assert upload(upload_of(data)).code == "INPUT_POLICY_DENIED"

    def test_names_what_was_found(self, upload):
        answer = upload(upload_of(noise("GIF")))

        assert answer.status == 415
        assert answer.exit_code == 6
        assert "image/gif" in answer.error["message"]

    def test_refuses_more_than_20_megabytes(self, upload):
        data = noise() + bytes(20_000_000)

        assert upload(upload_of(data)).code == "INPUT_POLICY_DENIED"

    def test_takes_20_megabytes(self, upload):
        data = noise("PNG", size=(2600, 2560))
        data += bytes(20_000_000 - len(data))

        answer = upload(upload_of(data))

        assert answer.data["upload"]["bytes"] == 20_000_000

    def test_refuses_a_body_beyond_reason(self, api, agent):
        answer = api.post("/v1/upload", token=agent.token, raw=b"x" * 28_500_001)

        assert (answer.status, answer.code) == (413, "INVALID_ARGUMENTS")

    def test_without_a_place_nothing_is_read(self, upload, png):
        barrier = threading.Event()

        def occupy():
            with uploads.slot():
                barrier.wait()

        threads = [threading.Thread(target=occupy) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            answer = upload(upload_of(png))
        finally:
            barrier.set()
            for thread in threads:
                thread.join()

        assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
        assert int(answer.headers["retry-after"]) > 0
        assert upload(upload_of(png)).status == 200

    def test_anonymous_is_refused(self, api, png):
        assert api.post("/v1/upload", json=upload_of(png)).code == "AUTH_REQUIRED"

    def test_without_the_grant_is_denied(self, upload, agent, png):
        Agent.objects.filter(pk=agent.agent.pk).update(grants=["image.create"])

        assert upload(upload_of(png)).code == "CAPABILITY_DENIED"

    @given(
        body=st.dictionaries(
            st.sampled_from([*upload_of(b"").keys(), "other"]),
            st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just([]),
        )
    )
    @hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_body_gets_an_answer_of_the_table(self, upload, body):
        answer = upload(body)

        assert answer.code in {"INVALID_ARGUMENTS", "INPUT_POLICY_DENIED", "RATE_LIMITED"}
        assert not Asset.objects.exists()

    @pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b"\xff", b'{"a": NaN}'])
    def test_body_that_is_no_object_is_refused(self, api, agent, raw):
        assert api.post("/v1/upload", token=agent.token, raw=raw).code == "INVALID_ARGUMENTS"

    def test_answer_never_holds_the_bytes(self, upload, png):
        body = upload_of(png)

        assert body["bytes_base64"][:60] not in json.dumps(upload(body).envelope)
