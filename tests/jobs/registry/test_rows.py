import json
import re
from collections import Counter

import pytest
from pydantic import ValidationError

from jobs import registry
from jobs.registry import catalog, checks, loading
from jobs.registry.consistency import contradictions
from jobs.registry.loading import FOLDER, RegistryError, build_model, read_json, read_models

WIRED = {
    "fal.bytedance-seedream-v4-5-edit",
    "fal.bytedance-seedream-v4-5-text-to-image",
    "fal.bytedance-seedream-v5-lite-edit",
    "fal.bytedance-seedream-v5-lite-text-to-image",
    "fal.dreamo",
    "fal.flux-dev",
    "fal.flux-dev-redux",
    "fal.flux-krea-redux",
    "fal.flux-pro-kontext",
    "fal.flux-pro-kontext-max",
    "fal.flux-pro-v1-1-ultra",
    "fal.flux-schnell-redux",
    "fal.gemini-3-pro-image-preview",
    "fal.gemini-3-pro-image-preview-edit",
    "fal.ideogram-v2-edit",
    "fal.kling-image-o1",
    "fal.kling-image-o3-image-to-image",
    "fal.kling-image-o3-text-to-image",
    "fal.kling-image-v3-image-to-image",
    "fal.kling-image-v3-text-to-image",
    "fal.nano-banana-2",
    "fal.nano-banana-2-edit",
    "fal.nano-banana-pro",
    "fal.nano-banana-pro-edit",
    "fal.z-image-turbo",
    "fal.z-image-turbo-image-to-image",
    "local.sketch",
    "local.sketch-remix",
    "openai.gpt-image-1.5",
    "openai.gpt-image-1.5-edit",
    "openai.gpt-image-2",
    "openai.gpt-image-2-edit",
    "xai.grok-imagine-image",
    "xai.grok-imagine-image-edit",
    "xai.grok-imagine-image-quality",
    "xai.grok-imagine-image-quality-edit",
}
NOT_WIRED = {
    "fal.imagen4-preview",
    "fal.imagen4-preview-fast",
    "fal.imagen4-preview-ultra",
    "fal.ltx-video-13b-distilled",
    "fal.stable-audio-25-text-to-audio",
    "fal.trellis-image-to-3d",
}
EXECUTABLE = {
    "fal.flux-dev": {"image_size", "seed"},
    "fal.flux-pro-v1-1-ultra": {"raw", "seed"},
    "fal.z-image-turbo": {"image_size", "seed"},
    "fal.nano-banana-2-edit": {"resolution", "seed"},
    "fal.ideogram-v2-edit": {"expand_prompt", "seed", "style"},
    "fal.gemini-3-pro-image-preview": {"resolution", "seed"},
    "fal.nano-banana-pro-edit": {"resolution", "seed"},
    "fal.flux-pro-kontext": {"seed"},
    "fal.bytedance-seedream-v4-5-edit": {"image_size", "seed"},
    "fal.bytedance-seedream-v5-lite-edit": {"image_size"},
    "fal.kling-image-o1": set(),
    "xai.grok-imagine-image": set(),
    "xai.grok-imagine-image-quality": {"resolution"},
    "openai.gpt-image-2": {
        "size",
        "quality",
        "output_format",
        "output_compression",
        "background",
        "moderation",
    },
    "openai.gpt-image-1.5-edit": {
        "size",
        "quality",
        "output_format",
        "output_compression",
        "background",
        "moderation",
        "input_fidelity",
    },
}

FREE = {"quoted": True, "metered": False, "source": "a price list"}
UNCOUNTED = {
    "kind": "tokens",
    "usd_per_million": {"image_out": "30"},
    "dearest": {"quality": "high", "size": "1536x1024"},
}


@pytest.fixture
def row():
    return read_json(FOLDER / "rows/fal/flux-dev.json")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "fal").mkdir()
    return tmp_path


def built(rows, ranking=None):
    none = {"policies": {}, "intent_classes": {}}
    return catalog.build([build_model(row) for row in rows], ranking=ranking or none)


class TestRows:
    def test_every_model_of_the_catalogue_is_there_and_the_local_two(self):
        assert {model.id for model in registry.models() if model.is_wired} == WIRED
        assert {model.id for model in registry.models() if not model.is_wired} == NOT_WIRED

    def test_no_two_models_share_a_capability(self):
        shared = Counter(model.capability_id for model in registry.models())
        assert max(shared.values()) == 1

    @pytest.mark.parametrize(("model_id", "names"), EXECUTABLE.items())
    def test_the_controls_of_the_seeds_are_executable(self, model_id, names):
        assert set(registry.get(model_id).executable_parameters) == names

    def test_dollars_are_exact(self):
        assert str(registry.get("fal.bytedance-seedream-v5-lite-edit").price.rule.usd) == "0.035"

    def test_no_row_names_a_url(self):
        for path in FOLDER.glob("rows/*/*.json"):
            assert "http" not in path.read_text(), path.name


class TestReading:
    def write(self, folder, row, name="flux-dev"):
        (folder / f"fal/{name}.json").write_text(json.dumps(row))

    def test_a_good_row_is_read(self, folder, row):
        self.write(folder, row)
        assert [model.id for model in read_models(folder)] == ["fal.flux-dev"]

    @pytest.mark.parametrize(
        ("field", "value", "where"),
        [
            ("latency_class", "instant", "latency_class"),
            ("wired", "yes", "wired"),
            ("surprise", 1, "surprise"),
            ("price", {**FREE, "rule": {"kind": "image", "usd": 0.02}}, "price.rule.image.usd"),
            ("price", {**FREE, "rule": {"kind": "image", "usd": "two"}}, "price.rule.image.usd"),
            ("price", {**FREE, "rule": {"kind": "barter", "usd": "0.02"}}, "price.rule"),
            ("price", {**FREE, "rule": UNCOUNTED}, "price.rule.tokens"),
            ("prompt", {"use": "required"}, "prompt"),
            ("prompt", {"use": "forbidden", "max_length": 7}, "prompt"),
            ("size", {"presets": "nobody's"}, "size.presets"),
            ("task_tags", ["fast", "fast"], "task_tags"),
            ("id", "no provider", "id"),
        ],
    )
    def test_a_row_that_breaks_the_schema_is_refused_by_its_field(
        self, folder, row, field, value, where
    ):
        self.write(folder, {**row, field: value})
        with pytest.raises(RegistryError, match=rf"flux-dev\.json: {re.escape(where)}: "):
            read_models(folder)

    def test_a_model_can_not_be_changed(self, row):
        model = build_model(row)
        with pytest.raises(ValidationError):
            model.summary = "another"
        assert {model: 1}[build_model(row)] == 1

    def test_a_row_in_a_file_of_another_name_is_refused(self, folder, row):
        self.write(folder, row, name="flux-pro")
        with pytest.raises(RegistryError, match="not its name"):
            read_models(folder)

    def test_a_bad_parameter_schema_is_refused(self, folder, row):
        row["parameters"]["seed"]["minimum"] = "low"
        self.write(folder, row)
        with pytest.raises(RegistryError, match="seed"):
            read_models(folder)


class TestConsistency:
    @pytest.mark.parametrize(
        ("change", "word"),
        [
            (lambda row: row["call"].pop("prompt_field"), "prompt"),
            (lambda row: row["aspect_ratio"]["values"].pop("1:1"), "aspect ratio"),
            (lambda row: row["output"].update(max_count=4) or row["call"].pop("count_field"), "co"),
            (lambda row: row["parameters"].pop("image_size"), "image_size"),
            (lambda row: row["parameters"]["image_size"].update(default="huge"), "default"),
            (lambda row: row.update(wired=False), "not wired"),
            (lambda row: row.update(references={"kind": "images", "max_indexes": 2}), "refer"),
            (lambda row: row.update(mask={"mime_types": ["image/png"]}), "mask"),
            (lambda row: row.update(supports=["edit"]), "input image"),
        ],
    )
    def test_a_row_that_contradicts_itself_is_named(self, row, change, word):
        change(row)
        model = build_model(row)
        assert any(word in message for message in contradictions(model))

    def test_price_tiers_are_the_values_of_their_parameter(self):
        row = read_json(FOLDER / "rows/fal/nano-banana-pro.json")
        del row["price"]["rule"]["usd"]["4K"]
        assert any("tiers" in message for message in contradictions(build_model(row)))


class TestNames:
    @pytest.mark.parametrize(
        ("name", "model_id"),
        [
            ("fal.flux-dev", "fal.flux-dev"),
            ("flux-dev", "fal.flux-dev"),
            ("nano-banana", "fal.nano-banana-2"),
            ("nano-banana-edit", "fal.nano-banana-2-edit"),
            ("imagen4-fast", "fal.imagen4-preview-fast"),
            ("sketch", "local.sketch"),
        ],
    )
    def test_ids_aliases_and_bare_names_resolve(self, name, model_id):
        assert registry.get(name).id == model_id

    def test_a_name_within_a_provider_resolves(self):
        assert registry.find("gpt-image-2", provider="openai").id == "openai.gpt-image-2"

    def test_near_matches_are_ids(self):
        assert registry.near_matches("openai.gpt-image-3")[0].startswith("openai.gpt-image-2")
        assert registry.near_matches("x" * 100_000) == []

    def test_a_taken_name_is_refused(self, row):
        twin = {**row, "id": "fal.other", "aliases": ["flux-dev"]}
        with pytest.raises(RegistryError, match="flux-dev is taken"):
            built([row, twin])

    def test_the_name_default_is_ours(self, row):
        with pytest.raises(RegistryError, match="default is taken"):
            built([{**row, "aliases": ["default"]}])


class TestRanking:
    @pytest.mark.parametrize(
        "rank",
        [
            {"model": "fal.unheard-of"},
            {"model": "fal.flux-dev", "tiers": [{"parameters": {"guidance_scale": 3}}]},
        ],
    )
    def test_a_rank_that_can_not_run_is_refused(self, row, rank):
        policy = {"id": "p", "passes_by_unknown_cost": True, "ranking": [rank]}
        with pytest.raises(RegistryError):
            built([row], {"policies": {"create": policy}, "intent_classes": {}})

    def test_a_model_is_not_ranked_for_what_it_does_not_do(self, row):
        policy = {"id": "p", "passes_by_unknown_cost": True, "ranking": [{"model": row["id"]}]}
        with pytest.raises(RegistryError, match="edit"):
            built([row], {"policies": {"edit": policy}, "intent_classes": {}})


class TestCheck:
    def test_a_sound_registry_passes(self):
        assert checks.check_registry() == []

    def test_every_ranked_model_can_run_what_it_is_ranked_for(self):
        book = registry.load()
        for operation, policy in book.policies.items():
            for rank in policy.ranking:
                assert rank.model.is_wired
                assert rank.model.operation == operation

    def test_preset_tables_hold_sizes(self):
        for table in loading.read_json(FOLDER / "size_presets.json").values():
            assert all(len(size) == 2 and min(size) > 0 for size in table.values())
