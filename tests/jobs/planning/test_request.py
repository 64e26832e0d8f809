from dataclasses import dataclass, fields
from decimal import Decimal

import pytest

from jobs.api import bodies
from jobs.planning.request import GenerationRequest, OutputSpec, Reference, added, digested_terms

ALL_TERMS = {
    "operation": "edit",
    "prompt": "add a kite — très haut",
    "model": "fal.dreamo",
    "provider": "fal",
    "intent": "final",
    "aspect_ratio": "16:9",
    "output": OutputSpec(format="jpeg", width=1024, height=576, max_width=2000),
    "output_count": 2,
    "input_asset_id": "image_aa",
    "mask_asset_id": "image_bb",
    "references": (
        Reference(asset_id="image_cc", role="reference_image", reference_task="ip"),
        Reference(asset_id="image_dd", role="element_reference", index=1, reference_index=2),
    ),
    "model_parameters": {"seed": 7, "image_size": {"width": 5, "height": 6}},
    "max_estimated_usd_per_image": Decimal("0.050"),
    "max_usd": Decimal(1),
    "accept_unknown_cost": True,
}


@dataclass(frozen=True, kw_only=True)
class _Older:
    prompt: str


@dataclass(frozen=True, kw_only=True)
class _Younger:
    prompt: str
    style: str | None = added(None)


class TestDigest:
    """Jobs store these digests: one that changes would turn every repeat into a conflict."""

    @pytest.mark.parametrize(
        ("terms", "digest"),
        [
            (
                {"operation": "create", "prompt": "a red kite over the sea"},
                "c171faa0d23906702c446b88ae24cbb33de96a98f4168df169baa5e972fe7d8e",
            ),
            (ALL_TERMS, "c3deab01957fb8f2c8c72e9161ee8f71459f1178367b642ba9fcafd90ee36de1"),
        ],
    )
    def test_stays_what_jobs_have_stored(self, terms, digest):
        assert GenerationRequest(**terms).digest == digest

    def test_ignores_an_added_field_at_its_default(self):
        assert digested_terms(_Younger(prompt="a")) == digested_terms(_Older(prompt="a"))

    def test_covers_an_added_field_that_is_set(self):
        assert digested_terms(_Younger(prompt="a", style="ink")) == {"prompt": "a", "style": "ink"}


class TestFromTheWire:
    """A field of create that is declared in the body and in the request needs no copying."""

    @pytest.mark.parametrize("body", [bodies.CreateBody, bodies.EditBody])
    def test_every_term_of_the_body_is_a_field_of_the_request(self, body):
        call = {"dry_run", "idempotency_key"}
        assert set(body.model_fields) - call <= {part.name for part in fields(GenerationRequest)}

    def test_every_field_arrives(self):
        sent = {
            **ALL_TERMS,
            "output": {"format": "jpg", "width": 1024, "height": 576, "max_width": 2000},
            "references": [
                {"asset_id": "image_cc", "role": "reference_image", "reference_task": "ip"},
                {
                    "asset_id": "image_dd",
                    "role": "element_reference",
                    "index": 1,
                    "reference_index": 2,
                },
            ],
            "dry_run": True,
            "idempotency_key": "a key",
        }
        del sent["operation"]
        body = bodies.EditBody.model_validate(sent)
        assert body.to_request("edit") == GenerationRequest(**ALL_TERMS)

    def test_null_and_missing_are_the_same(self):
        nulls = dict.fromkeys(("model", "output", "references", "model_parameters", "max_usd"))
        body = bodies.CreateBody.model_validate({"prompt": "a kite", **nulls})
        assert body.to_request("create") == GenerationRequest(operation="create", prompt="a kite")
