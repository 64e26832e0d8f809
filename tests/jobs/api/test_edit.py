"""Editing an image: input, price known afterwards, and what is refused."""

import pytest

from billing import ledger
from jobs.models import Job, JobInput
from jobs.running import hold_checks
from tests.jobs.sample_images import exif, noise, upload_of


@pytest.fixture
def image(transactional_db, api, agent):
    body = upload_of(noise(size=(600, 400)))
    return api.post("/v1/upload", token=agent.token, json=body).data["asset"]["asset_id"]


@pytest.fixture
def edit(api, agent, image):
    body = {
        "input_asset_id": image,
        "prompt": "make it look like dawn",
        "model": "local.sketch-remix",
        "accept_unknown_cost": True,
        "aspect_ratio": "auto",
    }
    return lambda token=None, **changes: api.post(
        "/v1/edit", token=token or agent.token, json=body | changes
    )


class TestEdit:
    def test_is_held_by_the_fallback_and_charged_by_usage(self, edit, api, agent, drain, image):
        answer = edit()
        assert answer.status == 202
        assert answer.data["input_asset"]["asset_id"] == image
        held = ledger.balances(agent.organization.pk).held

        drain()

        job = Job.objects.get(public_id=answer.data["job_id"])
        assert job.status == "completed", job.error_message
        assert 1 <= job.credits_captured <= held
        cost = api.get(f"/v1/jobs/{job.public_id}", token=agent.token).data["cost"]
        assert cost["estimated_usd"] is None
        assert cost["provider_reported_usd"] > 0
        assert cost["credit_pricing"]["credits_required"] == job.credits_captured
        assert cost["credit_pricing"]["pricing_confidence"] == "unknown"
        assert ledger.balances(agent.organization.pk) == (40 - job.credits_captured, 0, 0, 0)
        assert not list(hold_checks.problems())

    def test_remembers_its_input(self, edit, image):
        edit()

        one = JobInput.objects.get()
        assert (one.role, one.asset.public_id) == ("input", image)

    def test_cost_that_is_not_accepted_is_refused(self, edit):
        answer = edit(accept_unknown_cost=False)

        assert answer.code == "BUDGET_REQUIRES_CONFIRMATION"
        assert answer.error["recovery"]["required_flag"] == "--accept-unknown-cost"
        assert not Job.objects.filter(operation="edit").exists()

    def test_dry_run_plans(self, edit, image):
        answer = edit(dry_run=True)

        assert answer.data["input_asset"]["asset_id"] == image
        assert answer.data["cost"]["credit_pricing"]["fallback_provider_cost_usd"] > 0
        assert not Job.objects.filter(operation="edit").exists()

    @pytest.mark.parametrize("is_dry_run", [True, False])
    def test_tells_that_its_input_is_turned_upright(self, edit, api, agent, is_dry_run):
        body = upload_of(noise("JPEG", exif=exif(orientation=6)), mime_type="image/jpeg")
        turned = api.post("/v1/upload", token=agent.token, json=body).data["asset"]["asset_id"]

        answer = edit(input_asset_id=turned, dry_run=is_dry_run)

        told = "The image of input_asset_id is changed for the provider: it is turned upright."
        assert told in answer.envelope["warnings"]

    def test_strangers_picture_is_not_found(self, edit, stranger):
        assert edit(token=stranger.token).code == "NOT_FOUND"

    def test_deleted_picture_is_not_found(self, edit, api, agent, image):
        api.delete(f"/v1/assets/{image}", token=agent.token)

        assert edit().code == "NOT_FOUND"

    def test_picture_stays_until_its_job_is_done(self, edit, api, agent, image, drain):
        job_id = edit().data["job_id"]
        api.delete(f"/v1/assets/{image}", token=agent.token)

        drain()

        assert Job.objects.get(public_id=job_id).status == "completed"

    def test_anonymous_is_refused(self, api, image):
        body = {"input_asset_id": image, "prompt": "x"}

        assert api.post("/v1/edit", json=body).code == "AUTH_REQUIRED"
        assert api.post("/v1/edit", json=body | {"dry_run": True}).code == "AUTH_REQUIRED"

    def test_without_the_grant_is_denied(self, edit, agent):
        agent.agent.grants.remove("image.edit")
        agent.agent.save()

        assert edit().code == "CAPABILITY_DENIED"

    @pytest.mark.parametrize(
        "changes",
        [
            {"input_asset_id": None},
            {"input_asset_id": "https://example.com/x.png"},
            {"mask_asset_id": 7},
            {"prompt": 7},
            {"prompt": None},
        ],
    )
    def test_refuses_what_is_malformed(self, edit, changes):
        assert edit(**changes).code == "INVALID_ARGUMENTS"
