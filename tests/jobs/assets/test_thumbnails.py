"""The look at each stored image, and what it tells staff."""

import io

import pytest
from PIL import Image

from jobs.assets import storage, thumbnails
from jobs.models import Asset
from tests.jobs.sample_images import noise, upload_of


@pytest.fixture
def make(transactional_db, api, drain):
    """Have an agent make an image, and have everything done that follows."""

    def create(signed, **changes):
        body = {"prompt": "a lighthouse", "model": "local.sketch", "model_parameters": {"seed": 5}}
        job_id = api.post("/v1/create", token=signed.token, json=body | changes).data["job_id"]
        drain()
        return Asset.objects.get(job__public_id=job_id)

    return create


def replace(asset, data):
    storage.write(asset.storage_key, io.BytesIO(data))


class TestMake:
    def test_finds_a_good_picture_good(self, make, agent):
        asset = make(agent)

        assert asset.thumbnail_key
        assert asset.verdict.is_good, asset.verdict.finding
        assert asset.verdict.decodes
        assert asset.verdict.is_as_planned

    def test_finds_the_same_picture_of_another_agent(self, make, agent, stranger):
        first = make(agent)

        second = make(stranger)

        assert second.verdict.same_as == first
        assert not second.verdict.is_good

    def test_same_picture_of_the_same_agent_is_fine(self, make, agent):
        make(agent)

        assert make(agent).verdict.is_good

    def test_finds_a_truncated_picture(self, make, agent):
        asset = make(agent)
        replace(asset, noise()[:5000])

        verdict = thumbnails.process(asset.public_id)

        assert not verdict.decodes
        assert not verdict.is_good

    def test_finds_other_bytes_than_promised(self, make, agent):
        asset = make(agent)
        replace(asset, noise("JPEG", size=(1024, 1024)))

        verdict = thumbnails.process(asset.public_id)

        assert verdict.decodes
        assert not verdict.is_as_promised

    def test_finds_one_flat_colour(self, api, agent, transactional_db, drain):
        flat = io.BytesIO()
        Image.new("RGB", (300, 300), "navy").save(flat, "PNG")
        api.post("/v1/upload", token=agent.token, json=upload_of(flat.getvalue()))

        drain()

        verdict = Asset.objects.get().verdict
        assert verdict.is_blank
        assert "flat" in verdict.finding

    def test_deleted_picture_is_passed_by(self, make, agent, api):
        asset = make(agent)
        api.delete(f"/v1/assets/{asset.public_id}", token=agent.token)

        assert thumbnails.process(asset.public_id) is None


class TestBandsOf:
    def test_near_hashes_share_a_band(self):
        one = 0x0123_4567_89AB_CDEF

        for bits in (0, 1, 1 << 20, 1 << 63, 1 << 5 | 1 << 25 | 1 << 45):
            assert set(thumbnails.hash_bands(one)) & set(thumbnails.hash_bands(one ^ bits))

    def test_bands_are_numbered(self):
        assert len(set(thumbnails.hash_bands(0))) == 4
