"""The public address of an image."""

import pytest

from jobs.assets import removal, thumbnails
from jobs.models import Asset
from tests.jobs.sample_images import noise, upload_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def data():
    return noise("JPEG")


@pytest.fixture
def asset(api, agent, data):
    """An image that was uploaded."""
    body = upload_of(data, mime_type="image/jpeg")
    asset_id = api.post("/v1/upload", token=agent.token, json=body).data["asset"]["asset_id"]
    return Asset.objects.get(public_id=asset_id)


@pytest.fixture
def fetch(client, asset):
    return lambda name=None, **headers: client.get(
        f"/a/{name or asset.public_id + '.jpg'}", headers=headers
    )


def content(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


class TestPicture:
    def test_is_served_with_what_keeps_browsers_safe(self, fetch, data):
        response = fetch()

        assert content(response) == data
        assert response["Content-Type"] == "image/jpeg"
        assert response["Content-Length"] == str(len(data))
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response["Cache-Control"] == "public, max-age=3600"
        assert "Set-Cookie" not in response

    def test_needs_one_statement(self, fetch, django_assert_num_queries):
        with django_assert_num_queries(1):
            fetch()

    def test_known_etag_saves_the_bytes(self, fetch):
        etag = fetch()["ETag"]

        assert fetch(**{"If-None-Match": etag}).status_code == 304
        assert fetch(**{"If-None-Match": f'W/{etag}, "x"'}).status_code == 304
        assert fetch(**{"If-None-Match": '"x"'}).status_code == 200

    @pytest.mark.parametrize(
        ("asked", "span"),
        [
            ("bytes=0-0", slice(0, 1)),
            pytest.param("bytes=0-" + "9" * 19, slice(0, None), id="longest"),
            ("bytes=10-19", slice(10, 20)),
            ("bytes=100-", slice(100, None)),
            ("bytes=-7", slice(-7, None)),
            ("bytes=10-99999999", slice(10, None)),
        ],
    )
    def test_range_gives_that_part(self, fetch, data, asked, span):
        response = fetch(Range=asked)

        assert response.status_code == 206
        assert content(response) == data[span]
        assert response["Content-Length"] == str(len(data[span]))
        first = range(len(data))[span][0]
        assert response["Content-Range"].startswith(f"bytes {first}-")

    @pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
    def test_range_outside_is_refused(self, fetch, data, asked):
        response = fetch(Range=asked)

        assert response.status_code == 416
        assert response["Content-Range"] == f"bytes */{len(data)}"

    @pytest.mark.parametrize(
        "asked",
        [
            "bytes=5-3",
            "bytes=1-2,4-5",
            "lines=1-2",
            "bytes=-",
            "x",
            f"bytes={'9' * 5000}-",
        ],
    )
    def test_range_that_is_none_gives_the_whole(self, fetch, data, asked):
        response = fetch(Range=asked)

        assert (response.status_code, content(response)) == (200, data)

    def test_range_of_another_version_gives_the_whole(self, fetch):
        assert fetch(**{"Range": "bytes=0-1", "If-Range": '"old"'}).status_code == 200

    def test_head_has_no_body(self, client, asset, data):
        response = client.head(f"/a/{asset.public_id}.jpg")

        assert response["Content-Length"] == str(len(data))

    def test_other_extension_or_id_is_not_found(self, fetch, asset):
        assert fetch(f"{asset.public_id}.png").status_code == 404
        assert fetch("image_nobody.jpg").status_code == 404

    def test_deleted_is_gone(self, fetch, asset):
        removal.delete(asset)

        assert fetch().status_code == 410
        assert fetch()["Cache-Control"] == "no-store"

    def test_withdrawn_is_gone_and_comes_back_when_released(self, fetch, asset, supporter):
        removal.withdraw(asset, user=supporter, reason="reported")
        assert fetch().status_code == 410

        removal.release(asset, user=supporter, reason="mistaken")

        assert fetch().status_code == 200

    def test_posting_is_refused(self, client, asset):
        assert client.post(f"/a/{asset.public_id}.jpg").status_code == 405


class TestThumbnail:
    def test_is_there_once_made(self, client, asset):
        assert client.get(f"/t/{asset.public_id}.webp").status_code == 404

        thumbnails.process(asset.public_id)

        response = client.get(f"/t/{asset.public_id}.webp")
        assert response.status_code == 200
        assert response["Content-Type"] == "image/webp"
