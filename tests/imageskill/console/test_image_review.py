"""Image review: what is wrong with an image beside what was expected of it."""

import io

import pytest
from django.urls import reverse

from accounts.models import AuditLine
from jobs.assets import storage, thumbnails
from jobs.models import Asset, AssetCheck, Job
from tests.imageskill.console.doing import action_url, do
from tests.jobs.sample_images import noise

pytestmark = pytest.mark.django_db(transaction=True)

WALL = "admin:console_image_review"


@pytest.fixture
def image(api, drain, settings):
    """Have an agent make an image, checks included."""
    settings.CREATE_WAIT_S = 0

    def make(signed):
        body = {"prompt": "a pier", "model": "local.sketch", "model_parameters": {"seed": 7}}
        job_id = api.post("/v1/create", json=body, token=signed.token).data["job_id"]
        drain()
        return Asset.objects.get(job__public_id=job_id)

    return make


def cards(browser, **query):
    page = browser.get(reverse(WALL, query=query))
    assert page.status_code == 200
    return page, page.context_data["cards"]


class TestWall:
    def test_good_pictures_are_not_among_the_failures(self, signed_in, supporter, agent, image):
        asset = image(agent)
        browser = signed_in(supporter)

        page, shown = cards(browser)
        assert shown == []
        assert "Every checked image passed" in page.content.decode()
        [card] = cards(browser, show="all")[1]
        assert card.check.asset == asset
        assert all(fact.is_met for fact in card.facts)

    def test_expected_size_and_type_stand_beside_what_the_picture_is(
        self, signed_in, supporter, agent, image
    ):
        asset = image(agent)
        plan = asset.job.plan | {"size": [64, 48], "output_format": "webp"}
        Job.objects.filter(pk=asset.job_id).update(plan=plan)
        thumbnails.process(asset.public_id)

        page, [card] = cards(signed_in(supporter))

        facts = {fact.name: (fact.expected, fact.actual) for fact in card.facts if not fact.is_met}
        assert facts == {
            "Size": ("64×48", f"{asset.width}×{asset.height}"),
            "Type": ("image/webp", "image/png"),
        }
        assert "64×48" in page.content.decode()

    def test_other_bytes_than_written_and_cut_off_ones_are_told_apart(
        self, signed_in, supporter, agent, image
    ):
        asset, browser = image(agent), signed_in(supporter)
        storage.write(asset.storage_key, io.BytesIO(noise("PNG", size=(1024, 1024))))
        thumbnails.process(asset.public_id)
        [card] = cards(browser)[1]
        assert "other than written" in {fact.actual for fact in card.facts}

        storage.write(asset.storage_key, io.BytesIO(noise()[:3000]))
        thumbnails.process(asset.public_id)
        [card] = cards(browser)[1]
        assert "can't be decoded, or truncated" in {fact.actual for fact in card.facts}

    def test_a_likeness_is_shown_beside_with_picture_and_link(
        self, signed_in, supporter, agent, stranger, image
    ):
        first, second = image(agent), image(stranger)

        page, [card] = cards(signed_in(supporter))

        assert card.check.asset == second
        html = page.content.decode()
        assert reverse("admin:jobs_asset_thumbnail", args=[first.pk]) in html
        assert reverse("admin:jobs_asset_change", args=[first.pk]) in html
        assert f'data-copy="{first.public_id}"' in html

    def test_it_pages_by_key(self, signed_in, supporter, agent, image, monkeypatch):
        monkeypatch.setattr("imageskill.console.operations.image_review._PAGE_SIZE", 1)
        older, newer = image(agent), image(agent)
        browser = signed_in(supporter)

        page, [card] = cards(browser, show="all")
        assert card.check.asset == newer
        page, [card] = cards(browser, show="all", after=page.context_data["next"])
        assert card.check.asset == older
        assert page.context_data["next"] is None


class TestDeedsOnTheWall:
    def test_each_leads_to_the_deed_that_does_it(self, signed_in, supporter, agent, image):
        asset = image(agent)
        browser = signed_in(supporter)
        [card] = cards(browser, show="all")[1]
        by_name = {action.name: url for action, url in card.staff_actions}
        assert set(by_name) == {"withdraw", "quarantine", "check"}
        assert by_name["quarantine"] == action_url("jobs_asset", asset, "quarantine")

        do(browser, "jobs_asset", asset, "quarantine")
        [card] = cards(browser, show="all")[1]
        assert {action.name for action, _ in card.staff_actions} == {"withdraw", "release", "check"}

    def test_who_only_reads_is_offered_none(self, signed_in, auditor, agent, image):
        image(agent)
        [card] = cards(signed_in(auditor), show="all")[1]
        assert card.staff_actions == []

    def test_check_again_looks_again_and_the_audit_knows_why(
        self, signed_in, supporter, agent, image, drain
    ):
        asset = image(agent)
        AssetCheck.objects.all().delete()

        do(signed_in(supporter), "jobs_asset", asset, "check", reason="odd")

        assert "jobs.thumbnail" in drain()
        assert AssetCheck.objects.get(asset=asset).is_good
        line = AuditLine.objects.get(subject=asset.public_id, action="asset.check_again")
        assert (line.user, line.reason) == (supporter, "odd")
