"""Each wired model once, from the caller's request over its provider's protocol to the ledger."""

import io

import pytest
from PIL import Image

from billing import ledger
from jobs import registry
from jobs.running import hold_checks
from tests.jobs.sample_images import noise, upload_of

MODELS = [model.id for model in registry.models() if model.is_wired]
MASKED = {"fal.ideogram-v2-edit", "openai.gpt-image-2-edit"}
CHEAPLY = {
    "openai.gpt-image-1.5-edit": {"quality": "low", "size": "1024x1024"},
    "openai.gpt-image-2-edit": {"quality": "low", "size": "1024x1024"},
}
TASKS = {"fal.dreamo": "style"}


def mask() -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (640, 480), (0, 0, 0, 0)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def upload(transactional_db, api, agent):
    def stored(data: bytes) -> str:
        answer = api.post("/v1/upload", json=upload_of(data), token=agent.token)
        return answer.data["asset"]["asset_id"]

    return stored


def references(model, upload) -> list[dict]:
    if model.references is None:
        return []
    if model.references.kind == "elements":
        role = {"role": "element_frontal", "index": 0}
        beside = {"role": "element_reference", "index": 0, "reference_index": 0}
        return [{"asset_id": upload(noise()), **one} for one in (role, beside)]
    task = {"reference_task": TASKS[model.id]} if model.id in TASKS else {}
    return [{"asset_id": upload(noise()), "role": "reference_image", "index": 0, **task}]


class TestEveryModel:
    @pytest.mark.parametrize("model_id", MODELS)
    def test_makes_a_picture_and_is_charged(self, providers, api, agent, upload, drain, model_id):
        model = registry.get(model_id)
        ask = {"model": model_id, "accept_unknown_cost": True}
        if model.prompt.use == "required":
            ask["prompt"] = "a tea kettle on the moon"
        if model_id in CHEAPLY:
            ask["model_parameters"] = CHEAPLY[model_id]
        if given := references(model, upload):
            ask["references"] = given
        if model.operation == "edit":
            ask |= {"input_asset_id": upload(noise()), "aspect_ratio": "auto"}
        if model_id in MASKED:
            ask["mask_asset_id"] = upload(mask())

        job_id = api.post(f"/v1/{model.operation}", json=ask, token=agent.token).data["job_id"]
        drain()

        job = api.get(f"/v1/jobs/{job_id}", token=agent.token).data
        assert job["status"] == "completed", job
        (asset,) = job["assets"]
        assert asset["mime_type"] in model.output.mime_types
        charged = job["cost"]["credit_pricing"]["credits_required"]
        assert ledger.balances(agent.organization.pk) == (40 - charged, 0, 0, 0)
        assert not list(hold_checks.problems())
