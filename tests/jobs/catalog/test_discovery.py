from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator

from imageskill.lib.errors import NotFound
from jobs import registry
from jobs.catalog import discovery
from jobs.catalog.discovery import CatalogFilters
from tests.jobs.plans import EVERYBODY, MARGIN, broken, only, plan

ROW_FIELDS = {
    "id",
    "default",
    "display_name",
    "provider_id",
    "modality",
    "status",
    "availability_reason",
    "execution",
    "supports",
    "operations",
    "capability_id",
    "capability",
    "media",
    "aspect_ratios",
    "model_parameters",
    "fixed_controls",
    "economics",
    "estimated_usd_per_image",
    "credits_required",
    "latency_class",
    "safety",
    "migration",
    "task_tags",
    "aliases",
    "accepts_input_images",
    "show_command",
}
COMPACT_FIELDS = {
    "id",
    "status",
    "aspect_ratios",
    "estimated_usd_per_image",
    "credits_required",
    "pricing_confidence",
    "cost_known",
    "budget_required_for_live",
    "max_outputs_per_request",
    "max_resolution",
    "artifact_storage",
    "model_execution_status",
    "grants_required",
    "show_command",
}


def listing(availability=EVERYBODY, **filters):
    return discovery.list_models(
        CatalogFilters(**filters), availability=availability, margin=MARGIN
    )


def one(name, availability=EVERYBODY):
    return discovery.get_model(name, availability=availability, margin=MARGIN)


def capability(name):
    return discovery.get_capability(name, availability=EVERYBODY, margin=MARGIN)


def ids(found):
    return [row["id"] for row in found["models"]]


class TestRow:
    def test_every_row_has_every_field(self):
        for row in listing()["models"]:
            assert set(row) >= ROW_FIELDS, row["id"]

    def test_every_parameter_is_marked_and_every_schema_is_one(self):
        for row in listing()["models"]:
            Draft202012Validator.check_schema(row["model_parameters"])
            for name, schema in row["model_parameters"]["properties"].items():
                assert isinstance(schema["executable"], bool), (row["id"], name)

    @pytest.mark.parametrize(
        ("model", "parameters", "is_valid"),
        [
            ("openai.gpt-image-2", {"output_compression": 50}, False),
            ("openai.gpt-image-2", {"output_compression": 50, "output_format": "webp"}, True),
            ("openai.gpt-image-1.5", {"background": "transparent"}, True),
            (
                "openai.gpt-image-1.5",
                {"background": "transparent", "output_format": "jpeg"},
                False,
            ),
            ("local.sketch", {"grain": 2}, False),
        ],
    )
    def test_the_schema_says_what_the_service_checks(self, model, parameters, is_valid):
        schema = one(model)["model_parameters"]
        assert Draft202012Validator(schema).is_valid(parameters) is is_valid

    def test_money_is_what_a_plan_would_say(self):
        for model_id in ("fal.flux-dev", "xai.grok-imagine-image-quality", "local.sketch"):
            row, planned = one(model_id), plan(model=model_id)
            assert row["estimated_usd_per_image"] == planned.cost.estimated_usd
            assert row["credits_required"] == planned.cost.credits
            assert row["economics"]["cost_known"]

    def test_an_unknown_price_is_told_with_its_fallback(self):
        economics = one("openai.gpt-image-2-edit")["economics"]
        assert economics["estimated_usd_per_image"] is None
        assert (economics["cost_known"], economics["budget_required_for_live"]) == (False, True)
        pricing = economics["credit_pricing"]
        assert pricing["pricing_confidence"] == "unknown"
        assert pricing["fallback_provider_cost_usd"] == Decimal("0.26072")
        assert economics["price"]["priced_from_usage"]

    def test_media_tells_what_goes_in_and_comes_out(self):
        kling = one("fal.kling-image-o3-image-to-image")["media"]
        assert kling["input"]["images"]["required"]
        assert kling["input"]["references"]["max"] == 36
        assert "nine" in kling["input"]["references"]["meaning"].lower()
        assert kling["input"]["references"]["roles"] == ["element_frontal", "element_reference"]
        ideogram = one("fal.ideogram-v2-edit")["media"]
        assert ideogram["input"]["mask"]["required"]
        assert one("openai.gpt-image-2")["media"]["output"]["max_outputs_per_request"] == 10

    def test_a_model_that_can_not_run_says_why(self):
        row = one("fal.flux-dev", only("local"))
        assert (row["status"], row["availability_reason"]) == (
            "unavailable",
            "provider_not_configured",
        )
        assert row["execution"]["model_execution_status"] == "unavailable"

    def test_a_cataloged_one_is_not_wired(self):
        row = one("fal.trellis-image-to-3d")
        assert row["execution"]["model_execution_status"] == "cataloged_not_wired"
        assert row["capability"]["grants_required"] == []

    def test_what_is_fixed_is_told(self):
        controls = one("fal.bytedance-seedream-v4-5-edit")["fixed_controls"]
        assert controls == {
            "sync_mode": False,
            "enable_safety_checker": True,
            "max_images": 1,
            "num_images": 1,
        }


class TestListing:
    def test_the_summary_counts(self):
        summary = listing(only("local"))["summary"]
        assert (summary["total"], summary["returned"], summary["available"]) == (42, 42, 2)
        assert (summary["executable"], summary["unavailable"]) == (2, 34)
        assert summary["catalog_only"] == summary["cataloged_not_wired"] == 6
        assert summary["providers"]["local"] == {"total": 2, "available": 2}
        assert summary["providers"]["fal"] == {"total": 32, "available": 0}

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({"available": True}, ["local.sketch", "local.sketch-remix"]),
            ({"executable": True, "operation": "edit"}, ["local.sketch-remix"]),
            ({"executable": True, "operation": "image.generate"}, ["local.sketch"]),
            ({"modality": "audio"}, ["fal.stable-audio-25-text-to-audio"]),
            ({"provider": "xai", "query": "QUALITY edit"}, ["xai.grok-imagine-image-quality-edit"]),
            ({"query": "imagen4-ultra"}, ["fal.imagen4-preview-ultra"]),
            ({"query": "fal-ai/ideogram/v2"}, ["fal.ideogram-v2-edit"]),
            ({"query": "no such words"}, []),
        ],
    )
    def test_filters_keep_what_was_asked(self, filters, expected):
        assert ids(listing(only("local"), **filters)) == expected

    def test_what_can_run_comes_first_and_what_is_only_cataloged_last(self):
        found = listing(only("local"))
        assert ids(found)[:2] == ["local.sketch", "local.sketch-remix"]
        assert set(ids(found)[-6:]) == set(ids(listing(catalog_only=True)))
        assert found["summary"]["first_actionable_model_ids"] == ids(found)[:2]
        everybody = listing()
        defaults = everybody["summary"]["defaults"]
        assert set(ids(everybody)[:2]) == set(defaults.values())

    def test_a_list_without_anything_to_run_names_one_that_has(self):
        summary = listing(only("local"), provider="fal")["summary"]
        assert summary["first_actionable_model_ids"] == []
        availability = summary["execution_availability"]
        assert availability["status"] == "unavailable"
        assert "--available" in availability["suggested_command"]

    def test_cataloged_ones_can_be_kept_or_left_out(self):
        assert len(ids(listing(catalog_only=True))) == 6
        assert len(ids(listing(catalog_only=False))) == 36

    def test_the_compact_list_leaves_schemas_out(self):
        found = listing(details=False)
        assert found["summary"]["result_shape"] == "compact_model_summary"
        for row in found["models"]:
            assert set(row) >= COMPACT_FIELDS
            assert "model_parameters" not in row

    def test_exactly_one_row_is_the_default(self):
        for availability in (EVERYBODY, only("fal"), only("local"), only()):
            rows = listing(availability)["models"]
            assert sum(row["default"] for row in rows) == 1

    def test_the_defaults_follow_what_can_run(self):
        defaults = listing(only("local"))["summary"]["defaults"]
        assert defaults == {"create": "local.sketch", "edit": "local.sketch-remix"}
        head = broken("xai.grok-imagine-image-quality")
        assert listing(head)["summary"]["defaults"]["create"] == "openai.gpt-image-2"


class TestOne:
    @pytest.mark.parametrize(
        ("name", "model_id"),
        [
            ("nano-banana", "fal.nano-banana-2"),
            ("fal.nano-banana-2", "fal.nano-banana-2"),
            ("default", "xai.grok-imagine-image-quality"),
        ],
    )
    def test_names_resolve(self, name, model_id):
        assert one(name)["id"] == model_id

    def test_an_unknown_name_gets_near_matches(self):
        with pytest.raises(NotFound) as error:
            one("openai.gpt-image-9")
        assert "openai.gpt-image-2" in error.value.recovery["near_matches"]
        assert error.value.recovery["suggested_command"].startswith("image-skill models show open")


class TestCapabilities:
    def test_there_is_one_for_each_model_and_the_umbrella(self):
        rows = discovery.list_capabilities(EVERYBODY, MARGIN)
        assert rows[0]["id"] == "is.image.generate.preview.v1"
        assert {row["id"] for row in rows[1:]} == {
            model.capability_id for model in registry.models()
        }

    def test_the_umbrella_is_the_choice_we_make(self):
        row = capability("is.image.generate.preview.v1")
        assert row["default_model"] == "xai.grok-imagine-image-quality"
        assert row["selection_policy"] == "hosted_default_create_v1"
        assert row["models"][-1] == "local.sketch"

    def test_one_tells_controls_grants_and_deprecation(self):
        row = capability("is.image.edit.openai-gpt-image-1-5-edit.v1")
        assert row["auth"]["live"] == {"token": "required", "grants_required": ["image.edit"]}
        assert row["deprecation"]["replacement"] == "openai.gpt-image-2-edit"
        assert row["normalized_controls"]["output_count"] == {"minimum": 1, "maximum": 1}
        assert row["model_parameters"]["properties"]["input_fidelity"]["executable"]

    def test_an_unknown_one_gets_near_matches(self):
        with pytest.raises(NotFound) as error:
            capability("is.image.generate.fal-flux-dv.v1")
        assert error.value.recovery["near_matches"][0] == "is.image.generate.fal-flux-dev.v1"


@pytest.mark.django_db
class TestEndpoints:
    def test_the_list_is_open(self, api):
        answer = api.get("/v1/models")
        assert answer.status == 200
        assert answer.envelope["command"] == "image-skill models list"
        assert answer.data["summary"]["total"] == 42
        flux = next(row for row in answer.data["models"] if row["id"] == "fal.flux-dev")
        assert flux["economics"]["credit_pricing"]["credits_required"] == 5
        assert flux["estimated_usd_per_image"] == 0.025

    def test_filters_come_as_text_and_unknown_ones_do_no_harm(self, api):
        answer = api.get("/v1/models?available=true&details=false&limit=3&nonsense=1")
        assert [row["id"] for row in answer.data["models"]] == [
            "local.sketch",
            "local.sketch-remix",
        ]
        assert answer.data["summary"]["result_shape"] == "compact_model_summary"

    def test_a_menu_says_what_it_leaves_out_and_where_that_is(self, api):
        assert api.get("/v1/models").data["summary"]["left_out"] is None
        menu = api.get("/v1/models?catalog_only=false").data
        left_out = menu["summary"]["left_out"]
        assert len(menu["models"]) + left_out["count"] == menu["summary"]["total"]
        assert left_out["suggested_command"] == "image-skill models list --catalog-only --json"
        summary = api.get("/v1/models?catalog_only=false&modality=audio").data["summary"]
        assert (summary["returned"], summary["left_out"]["count"]) == (0, 1)
        assert summary["left_out"]["message"].startswith("1 model is left out")

    def test_a_malformed_filter_is_refused(self, api):
        answer = api.get("/v1/models?available=perhaps")
        assert (answer.status, answer.code) == (422, "INVALID_ARGUMENTS")

    @pytest.mark.parametrize("name", ["local.sketch", "sketch", "default"])
    def test_one_is_open(self, api, name):
        answer = api.get(f"/v1/models/{name}")
        assert answer.data["model"]["id"] == "local.sketch"
        assert answer.envelope["command"] == "image-skill models show"

    def test_an_unknown_one_is_not_found(self, api):
        answer = api.get("/v1/models/local.skech")
        assert (answer.status, answer.code, answer.exit_code) == (404, "NOT_FOUND", 1)
        assert answer.error["recovery"]["near_matches"][0] == "local.sketch"

    def test_capabilities_are_open(self, api):
        rows = api.get("/v1/capabilities").data["capabilities"]
        assert len(rows) == 43
        answer = api.get("/v1/capabilities/is.image.generate.preview.v1")
        assert answer.data["capability"]["default_model"] == "local.sketch"
        assert api.get("/v1/capabilities/nothing").status == 404

    @pytest.mark.parametrize("path", ["/v1/models", "/v1/capabilities"])
    def test_a_bad_token_is_refused_even_here(self, api, path):
        assert api.get(path, token="isk_r_wrong").status == 401

    def test_nothing_is_written_and_little_is_read(self, api, django_assert_max_num_queries):
        with django_assert_max_num_queries(1):
            api.get("/v1/models")
